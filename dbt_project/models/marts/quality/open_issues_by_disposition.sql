with open_issues as (
    select
        *,
        coalesce(disposition, '') as disposition_name
    from {{ ref('issues') }}
    where is_open
),

units as (
    select
        disposition_category,
        coalesce(disposition, '') as disposition_name,
        count(distinct part_inventory_id) as unit_count,
        sum(quantity_affected) as quantity_affected
    from {{ ref('issue_units') }}
    where is_open
    group by disposition_category, disposition_name
),

counted as (
    select
        disposition_category,
        disposition_name,
        count(*) as issue_count,
        count(*) filter (where reopened_count > 0) as reopened_issue_count,
        count(*) filter (where age_days <= 7) as issue_count_0_to_7_days,
        count(*) filter (where age_days between 8 and 30) as issue_count_8_to_30_days,
        count(*) filter (where age_days between 31 and 90) as issue_count_31_to_90_days,
        count(*) filter (where age_days > 90) as issue_count_over_90_days,
        avg(age_days) as mean_age_days,
        max(age_days) as oldest_age_days,
        min(opened_at) as oldest_opened_at
    from open_issues
    group by disposition_category, disposition_name
)

select
    counted.disposition_category,
    counted.disposition_name as disposition,
    counted.issue_count,
    cast(sum(counted.issue_count) over () as bigint) as total_issue_count,
    counted.issue_count / sum(counted.issue_count) over () as issue_share,
    counted.reopened_issue_count,
    coalesce(units.unit_count, 0) as unit_count,
    coalesce(units.quantity_affected, 0) as quantity_affected,
    sum(units.quantity_affected) over () as total_quantity_affected,
    coalesce(units.quantity_affected, 0) / nullif(sum(units.quantity_affected) over (), 0) as quantity_share,
    counted.issue_count_0_to_7_days,
    counted.issue_count_8_to_30_days,
    counted.issue_count_31_to_90_days,
    counted.issue_count_over_90_days,
    counted.mean_age_days,
    counted.oldest_age_days,
    counted.oldest_opened_at
from counted
left join units
    on
        counted.disposition_category = units.disposition_category
        and counted.disposition_name = units.disposition_name
order by counted.issue_count desc, counted.disposition_category asc, counted.disposition_name asc
