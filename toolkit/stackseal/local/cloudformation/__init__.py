"""CloudFormation as AWS does it, where ministack is kinder or different."""
