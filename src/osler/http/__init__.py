"""What routes share: authentication, policy, problems, paging, cache."""
