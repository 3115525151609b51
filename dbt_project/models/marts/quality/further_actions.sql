with actions as (
    select * from {{ ref('stg_ion__further_actions') }}
),

links as (
    select * from {{ ref('stg_ion__further_action_issues') }}
),

issues as (
    select * from {{ ref('issues') }}
),

users as (
    select * from {{ ref('users') }}
),

answered as (
    select
        links.further_action_id,
        count(*) as issue_count,
        count(case when issues.is_open then 1 end) as open_issue_count
    from links
    left join issues on links.issue_id = issues.issue_id
    group by links.further_action_id
)

select
    actions.further_action_id,
    actions.further_action_title,
    actions.status,
    -- A status that ION's manual does not name is left open.
    case
        when actions.status in ('RESOLVED', 'CANCELED') then false
        when actions.status in ('IN_PROGRESS', 'IN_REVIEW') then true
    end as is_open,
    actions.problem_statement,
    actions.analysis_notes,
    actions.resolution,
    actions.assigned_to_id,
    users.user_name as assigned_to,
    coalesce(answered.issue_count, 0) as issue_count,
    coalesce(answered.open_issue_count, 0) as open_issue_count,
    actions.created_at,
    actions.updated_at,
    coalesce(actions.is_export_controlled, false) as is_export_controlled
from actions
left join answered on actions.further_action_id = answered.further_action_id
left join users on actions.assigned_to_id = users.user_id
order by actions.further_action_id
