mod jira;
