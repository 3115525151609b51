with redlines as (
    select * from {{ ref('stg_ion__redlines') }}
),

steps as (
    select * from {{ ref('run_steps') }}
),

issues as (
    select * from {{ ref('stg_ion__issues') }}
),

users as (
    select * from {{ ref('stg_ion__users') }}
),

loads as (
    select max(read_at) as read_at from {{ ref('stg_ion__loads') }}
),

requests as (
    select
        subject_id,
        count(*) as request_count,
        count(*) filter (where is_waiting) as waiting_request_count
    from {{ ref('approval_requests') }}
    where approval_kind = 'redline'
    group by subject_id
),

given as (
    select
        *,
        row_number() over (
            partition by subject_id
            order by given_at desc, approval_id desc
        ) as place,
        row_number() over (
            partition by subject_id, status
            order by given_at desc, approval_id desc
        ) as place_of_status
    from {{ ref('approvals') }}
    where approval_kind = 'redline' and is_verdict
),

verdicts as (
    select
        subject_id,
        count(*) as verdict_count,
        max(case when place = 1 then status end) as last_verdict,
        max(case when status = 'APPROVED' and place_of_status = 1 then given_at end) as approved_at,
        max(case when status = 'APPROVED' and place_of_status = 1 then reviewer end) as approved_by
    from given
    group by subject_id
),

timed as (
    select
        redlines.*,
        requests.request_count,
        requests.waiting_request_count,
        verdicts.verdict_count,
        verdicts.last_verdict,
        case when redlines.is_approved then verdicts.approved_at end as approved_at,
        case when redlines.is_approved then verdicts.approved_by end as approved_by,
        not coalesce(redlines.is_approved, false) and coalesce(verdicts.last_verdict, '') <> 'REJECTED' as is_waiting
    from redlines
    left join requests on redlines.redline_id = requests.subject_id
    left join verdicts on redlines.redline_id = verdicts.subject_id
)

select
    timed.redline_id,
    timed.run_step_id,
    steps.run_step_title,
    steps.run_id,
    steps.run_title,
    steps.procedure_id,
    procedures.procedure_title,
    procedures.procedure_version,
    steps.step_id,
    steps.part_id,
    steps.part_number,
    steps.part_revision,
    steps.serial_number,
    case when steps.is_added_by_redline then 'added_step' else 'changed_step' end as redline_kind,
    timed.issue_id,
    issues.issue_title,
    timed.created_at as raised_at,
    timed.created_by_id as author_id,
    authors.user_name as author,
    timed.is_batched,
    timed.active,
    coalesce(timed.is_approved, false) as is_approved,
    timed.is_waiting,
    coalesce(timed.request_count, 0) as request_count,
    coalesce(timed.waiting_request_count, 0) as waiting_request_count,
    coalesce(timed.verdict_count, 0) as verdict_count,
    timed.last_verdict,
    timed.approved_at,
    timed.approved_by,
    {{ hours_waited('timed.created_at', 'timed.approved_at', 'timed.is_waiting', 'loads.read_at') }} as waiting_hours,
    coalesce({{ json_keys_of('timed.diff') }}, {{ empty_list() }}) as changed_fields,
    {{ list_text(json_keys_of('timed.diff')) }} as changed_fields_text,
    timed.initial_state as state_before_json,
    timed.final_state as state_after_json,
    timed.diff as deviation_json,
    timed.updated_at,
    timed.is_export_controlled
from timed
cross join loads
left join steps on timed.run_step_id = steps.run_step_id
left join issues on timed.issue_id = issues.issue_id
left join users as authors on timed.created_by_id = authors.user_id
left join {{ ref('stg_ion__procedures') }} as procedures on steps.procedure_id = procedures.procedure_id
order by timed.redline_id
