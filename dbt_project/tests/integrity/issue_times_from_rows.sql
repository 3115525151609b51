-- Each issue appears once, is open if its row says so, and was not resolved before it was opened; its times are between
-- those of its row. The last day of the backlog, the open issues by disposition and the closed issues add up to the
-- rows.
with rows_of_ion as (
    select
        id,
        coalesce(status <> 'RESOLVED', true) as is_open,
        _created as created_at
    from {{ source('ion', 'issues') }}
),

periods as (
    select * from {{ ref('int_issues__open_periods') }}
),

period_counts as (
    select
        issue_id,
        count(*) as period_count
    from periods
    group by issue_id
),

found as (
    select
        issues.*,
        period_counts.period_count
    from {{ ref('issues') }} as issues
    left join period_counts on issues.issue_id = period_counts.issue_id
),

last_day as (
    select
        open_count,
        open_count_0_to_7_days
        + open_count_8_to_30_days
        + open_count_31_to_90_days
        + open_count_over_90_days as in_buckets
    from {{ ref('issue_backlog_daily') }}
    order by day_on desc
    limit 1
),

by_disposition as (
    select coalesce(sum(issue_count), 0) as open_count
    from {{ ref('open_issues_by_disposition') }}
),

open_rows as (
    select count(*) as open_count
    from rows_of_ion
    where is_open
)

select
    'issue' as what,
    coalesce(rows_of_ion.id, found.issue_id) as issue_id
from rows_of_ion
full outer join found on rows_of_ion.id = found.issue_id
where
    rows_of_ion.is_open is distinct from found.is_open
    -- ION may give no creation time.
    or coalesce(rows_of_ion.created_at, found.opened_at) is distinct from found.opened_at
    or found.opened_at is null
    or found.period_count is distinct from found.reopened_count + 1
    or found.is_open is distinct from (found.resolved_at is null)
    or (not found.is_open and found.age_days is not null)
    or found.is_open is distinct from (found.days_to_close is null)
    or found.days_to_close < 0
    or found.age_days < 0
union all
select
    'period' as what,
    periods.issue_id
from periods
left join periods as next_periods
    on periods.issue_id = next_periods.issue_id and periods.period_number + 1 = next_periods.period_number
where
    periods.resolved_at < periods.opened_at
    or next_periods.opened_at < periods.resolved_at
    or (next_periods.issue_id is not null and periods.resolved_at is null)
union all
select
    'backlog' as what,
    null as issue_id
from open_rows
cross join last_day
where
    open_rows.open_count is distinct from last_day.open_count
    or last_day.open_count is distinct from last_day.in_buckets
union all
select
    'disposition' as what,
    null as issue_id
from open_rows
cross join by_disposition
where open_rows.open_count is distinct from by_disposition.open_count
union all
-- Fails if there are issues but no day of the backlog.
select
    'none' as what,
    min(rows_of_ion.id) as issue_id
from rows_of_ion
where (select count(*) from last_day) = 0
having count(*) > 0
