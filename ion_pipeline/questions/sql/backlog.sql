-- How many issues are open, and for how long have they been?

select
    max(day_on) as day,
    arg_max(open_count, day_on) as open_issues,
    arg_max(open_count_over_90_days, day_on) as open_over_90_days,
    sum(opened_count) as opened,
    sum(reopened_count) as reopened,
    sum(resolved_count) as resolved
from quality.issue_backlog_daily
group by date_trunc('month', day_on)
order by day
