"""The only importer of boto3. Modules that decide take these classes as parameters and know no client."""
