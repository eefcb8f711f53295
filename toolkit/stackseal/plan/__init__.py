"""Stage 6, Template → Plan: predicted from two templates, or a change set of the real stack; then sealed.

`predicted` needs no credentials, `change_set` asks CloudFormation, `consequence` says what a change costs, `seal` and
`record` bind what was reviewed, `prove` decides whether a change set still is that.
"""
