-- Open issues by disposition

select disposition_category, disposition, issue_count, issue_share, unit_count, quantity_affected, oldest_age_days
from quality.open_issues_by_disposition
order by issue_count desc, disposition_category
