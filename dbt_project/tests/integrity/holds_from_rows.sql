-- How many units each issue holds, a second time from the issues, the rules of their dispositions, and their units.
with rules as (
    select
        issue_disposition_type_id,
        inventory_availability as rule
    from {{ ref('stg_ion__issue_disposition_types') }}
),

expected as (
    select
        issues.id as issue_id,
        count(*) as unit_count,
        count(case when rules.rule like '%PERMANENT%' then 1 end) as permanent_count,
        count(case when rules.rule not like '%PERMANENT%' and rules.rule not like '%RESOL%' then 1 end) as unknown_count
    from {{ source('ion', 'issues') }} as issues
    inner join rules on issues.issue_disposition_type_id = rules.issue_disposition_type_id
    inner join {{ ref('int_issues__units') }} as units on issues.id = units.issue_id
    where
        rules.rule <> 'AVAILABLE'
        and not (
            rules.rule like '%RESOL%' and rules.rule not like '%PERMANENT%' and coalesce(issues.status, '') = 'RESOLVED'
        )
    group by issues.id
),

found as (
    select
        issue_id,
        count(*) as unit_count,
        count(case when is_permanent then 1 end) as permanent_count,
        count(case when is_held is null then 1 end) as unknown_count
    from {{ ref('holds') }}
    group by issue_id
)

select
    coalesce(expected.issue_id, found.issue_id) as issue_id,
    expected.unit_count as expected_units,
    found.unit_count as found_units
from expected
full outer join found on expected.issue_id = found.issue_id
where
    expected.unit_count is distinct from found.unit_count
    or expected.permanent_count is distinct from found.permanent_count
    or expected.unknown_count is distinct from found.unknown_count
