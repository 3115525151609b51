-- Further actions and their issues, counted a second time in the tables that the setting leads to.
with expected as (
    select
        actions.further_action_id,
        count(links.issue_id) as issue_count,
        count(case when coalesce(issues.status, '') <> 'RESOLVED' then issues.id end) as open_issue_count
    from {{ source('ion_further_actions', '_ion_further_actions') }} as actions
    left join {{ source('ion_further_actions', '_ion_further_action_issues') }} as links
        on actions.further_action_id = links.further_action_id
    left join {{ source('ion', 'issues') }} as issues on links.issue_id = issues.id
    where actions.further_action_id is not null
    group by actions.further_action_id
)

select
    coalesce(expected.further_action_id, found.further_action_id) as further_action_id,
    expected.issue_count as expected_issues,
    found.issue_count as found_issues,
    expected.open_issue_count as expected_open,
    found.open_issue_count as found_open
from expected
full outer join {{ ref('further_actions') }} as found on expected.further_action_id = found.further_action_id
where
    expected.issue_count is distinct from found.issue_count
    or expected.open_issue_count is distinct from found.open_issue_count
