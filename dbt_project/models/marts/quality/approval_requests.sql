with recorded as (
    {% for each in approval_kinds() %}
        select
            '{{ each.kind }}' as approval_kind,
            {{ each.requests }}_id as approval_request_id,
            {{ each.subject }} as subject_id,
            {{ each.gate if each.gate else 'cast(null as string)' }} as gate,
            {{ 'role_id' if each.gate else 'cast(null as bigint)' }} as role_id,
            {{ 'coalesce(assigned_to_id, reviewer_id)' if each.gate else 'reviewer_id' }} as asked_user_id,
            {{ 'assigned_team_id' if each.gate else 'cast(null as bigint)' }} as asked_team_id,
            status,
            created_at as requested_at,
            created_by_id as requested_by_id,
            {{ 'false' if each.is_never_controlled else 'is_export_controlled' }} as is_export_controlled
        from {{ ref('stg_ion__' ~ each.requests ~ 's') }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

verdicts as (
    select * from {{ ref('int_quality__approval_verdicts') }}
    where is_verdict
),

subjects as (
    select * from {{ ref('int_quality__approval_subjects') }}
),

members as (
    select * from {{ ref('stg_ion__team_users') }}
),

users as (
    select * from {{ ref('stg_ion__users') }}
),

loads as (
    select max(read_at) as read_at from {{ ref('stg_ion__loads') }}
),

-- ION does not say which verdict answers which request: the first by the person asked, or by one of the team.
answers as (
    select
        recorded.approval_kind,
        recorded.approval_request_id,
        verdicts.approval_id,
        verdicts.status,
        verdicts.given_at,
        verdicts.reviewer_id,
        row_number() over (
            partition by recorded.approval_kind, recorded.approval_request_id
            order by verdicts.given_at, verdicts.approval_id
        ) as place
    from recorded
    inner join verdicts
        on
            recorded.approval_kind = verdicts.approval_kind
            and recorded.subject_id = verdicts.subject_id
            and coalesce(recorded.gate, '') = coalesce(verdicts.gate, '')
    left join members
        on recorded.asked_team_id = members.team_id and verdicts.reviewer_id = members.user_id
    where
        verdicts.given_at >= recorded.requested_at
        and coalesce(recorded.role_id = verdicts.role_id, true)
        and case
            when recorded.asked_user_id is not null then recorded.asked_user_id = verdicts.reviewer_id
            else recorded.asked_team_id is null or members.user_id is not null
        end
),

answered as (
    select
        recorded.*,
        subjects.subject,
        answers.approval_id,
        answers.status as verdict,
        answers.given_at as answered_at,
        answers.reviewer_id as answered_by_id,
        coalesce(recorded.status, 'PENDING') = 'PENDING'
        and answers.approval_id is null
        and not coalesce(
            subjects.is_approved
            or (recorded.gate = 'IN_PROGRESS' and subjects.subject_status <> 'PENDING')
            or (recorded.gate = 'RESOLVED' and subjects.subject_status = 'RESOLVED'),
            false
        ) as is_waiting
    from recorded
    left join subjects
        on recorded.approval_kind = subjects.approval_kind and recorded.subject_id = subjects.subject_id
    left join answers
        on
            recorded.approval_kind = answers.approval_kind
            and recorded.approval_request_id = answers.approval_request_id
            and answers.place = 1
)

select
    answered.approval_kind,
    answered.approval_request_id,
    answered.subject_id,
    answered.subject,
    answered.gate,
    answered.status,
    answered.is_waiting,
    answered.requested_at,
    answered.requested_by_id,
    requesters.user_name as requested_by,
    answered.asked_user_id,
    asked.user_name as asked_user,
    answered.asked_team_id,
    teams.team_name as asked_team,
    answered.role_id,
    roles.role_name,
    answered.approval_id,
    answered.verdict,
    answered.answered_at,
    answered.answered_by_id,
    reviewers.user_name as answered_by,
    {{ hours_waited(
        'answered.requested_at', 'answered.answered_at', 'answered.is_waiting', 'loads.read_at'
    ) }} as waiting_hours,
    answered.is_export_controlled
from answered
cross join loads
left join users as requesters on answered.requested_by_id = requesters.user_id
left join users as asked on answered.asked_user_id = asked.user_id
left join users as reviewers on answered.answered_by_id = reviewers.user_id
left join {{ ref('stg_ion__teams') }} as teams on answered.asked_team_id = teams.team_id
left join {{ ref('stg_ion__roles') }} as roles on answered.role_id = roles.role_id
order by answered.approval_kind, answered.approval_request_id
