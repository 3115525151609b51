with verdicts as (
    select * from {{ ref('int_quality__approval_verdicts') }}
),

subjects as (
    select * from {{ ref('int_quality__approval_subjects') }}
),

-- A verdict may answer several requests; the time of waiting is that of the first of them.
answered as (
    select
        approval_kind,
        approval_id,
        count(*) as requests_answered,
        min(requested_at) as requested_at,
        max(waiting_hours) as waiting_hours
    from {{ ref('approval_requests') }}
    where approval_id is not null
    group by approval_kind, approval_id
),

users as (
    select * from {{ ref('stg_ion__users') }}
),

roles as (
    select * from {{ ref('stg_ion__roles') }}
)

select
    verdicts.approval_kind,
    verdicts.approval_id,
    verdicts.subject_id,
    subjects.subject,
    verdicts.gate,
    verdicts.status,
    verdicts.is_verdict,
    verdicts.given_at,
    verdicts.reviewer_id,
    users.user_name as reviewer,
    verdicts.role_id,
    roles.role_name,
    verdicts.reviewed_step_id,
    verdicts.comment_text,
    verdicts.reply_count,
    coalesce(answered.requests_answered, 0) as requests_answered,
    answered.requested_at,
    answered.waiting_hours,
    verdicts.is_export_controlled
from verdicts
left join subjects
    on verdicts.approval_kind = subjects.approval_kind and verdicts.subject_id = subjects.subject_id
left join answered
    on verdicts.approval_kind = answered.approval_kind and verdicts.approval_id = answered.approval_id
left join users on verdicts.reviewer_id = users.user_id
left join roles on verdicts.role_id = roles.role_id
order by verdicts.approval_kind, verdicts.approval_id
