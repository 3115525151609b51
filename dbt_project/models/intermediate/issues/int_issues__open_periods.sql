{{ config(materialized='table') }}

with versions as (
    select * from {{ ref('stg_ion_history__issues') }}
),

approvals as (
    select * from {{ ref('stg_ion__issue_approvals') }}
    where issue_approval_gate_type = 'RESOLVED' and status = 'APPROVED'
),

missing_approvals as (
    select * from {{ ref('stg_ion__issue_approval_requests') }}
    where issue_approval_gate_type = 'RESOLVED' and coalesce(status, 'PENDING') in ('PENDING', 'REJECTED')
),

states as (
    select
        *,
        coalesce(status = 'RESOLVED', false) as is_resolved,
        lag(coalesce(status = 'RESOLVED', false)) over of_issue as was_resolved,
        lag(updated_at) over of_issue as previous_updated_at,
        first_value(created_at) over (partition by issue_id order by valid_from desc) as opened_at
    from versions
    window of_issue as (partition by issue_id order by valid_from)
),

-- The state of the row as first read: ION keeps no instant of resolution, so the last approval dates it.
first_seen as (
    select
        states.issue_id,
        states.status,
        states.opened_at,
        states.updated_at,
        states.valid_from,
        states.is_resolved,
        max(approvals.created_at) as approved_at
    from states
    left join approvals
        on states.issue_id = approvals.issue_id and approvals.created_at between states.opened_at and states.valid_from
    where states.was_resolved is null
    group by
        states.issue_id, states.status, states.opened_at, states.updated_at, states.valid_from, states.is_resolved
),

-- An issue that is in work although all approvals to resolve are given had been resolved and reopened.
reopened_before as (
    select first_seen.*
    from first_seen
    left join missing_approvals
        on
            first_seen.issue_id = missing_approvals.issue_id
            and first_seen.valid_from >= missing_approvals.created_at
    where
        first_seen.status in ('PENDING', 'IN_PROGRESS')
        and first_seen.approved_at < first_seen.updated_at
        and missing_approvals.issue_id is null
),

turns as (
    select
        issue_id,
        valid_from,
        1 as turn,
        -- Where ION gives no time, the time of the load that first read it is used.
        coalesce(opened_at, updated_at, valid_from) as turned_at,
        true as is_opening
    from first_seen
    union all
    select
        issue_id,
        valid_from,
        2 as turn,
        coalesce(approved_at, updated_at) as turned_at,
        false as is_opening
    from first_seen
    where is_resolved or issue_id in (select reopened_before.issue_id from reopened_before)
    union all
    select
        issue_id,
        valid_from,
        3 as turn,
        updated_at as turned_at,
        true as is_opening
    from reopened_before
    union all
    select
        issue_id,
        valid_from,
        4 as turn,
        case when updated_at > previous_updated_at then updated_at else valid_from end as turned_at,
        not is_resolved as is_opening
    from states
    where is_resolved <> was_resolved
),

-- Keeps the events in order even if ION's timestamps are not.
in_order as (
    select
        *,
        max(turned_at) over (partition by issue_id order by valid_from, turn) as at_least_at
    from turns
),

periods as (
    select
        *,
        lead(at_least_at) over (partition by issue_id order by valid_from, turn) as resolved_at
    from in_order
)

select
    periods.issue_id,
    row_number() over (partition by periods.issue_id order by periods.valid_from, periods.turn) as period_number,
    periods.at_least_at as opened_at,
    periods.resolved_at,
    periods.at_least_at >= (select min(versions.valid_from) from versions) as is_from_history
from periods
where periods.is_opening and periods.issue_id in (select known.issue_id from {{ ref('stg_ion__issues') }} as known)
