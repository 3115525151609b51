with run_steps as (
    select * from {{ ref('stg_ion__run_steps') }}
),

facts as (
    select * from {{ ref('int_production__run_steps') }}
),

runs as (
    select * from {{ ref('stg_ion__runs') }}
),

units as (
    select * from {{ ref('int_abom__units') }}
),

parts as (
    select * from {{ ref('stg_ion__parts') }}
),

users as (
    select * from {{ ref('stg_ion__users') }}
),

locations as (
    select * from {{ ref('locations') }}
),

attempts as (
    select
        run_step_id,
        max(attempt_number) as attempt_count,
        min(ended_at) as first_attempt_ended_at,
        bool_or(outcome = 'FAILED') as has_failed,
        bool_and(is_from_history) as is_from_history
    from {{ ref('int_production__step_attempts') }}
    group by run_step_id
),

-- First pass requires that the first attempt in this run is also the first attempt of each of its units, and clean.
first_attempts as (
    select
        run_step_id,
        bool_and(is_first_pass) as is_first_pass
    from {{ ref('int_quality__unit_attempts') }}
    where attempt_number = 1
    group by run_step_id
),

findings as (
    select
        run_step_id,
        count(distinct case when finding_type = 'failed_validation' then finding_id end) as failed_validation_count,
        count(distinct case when finding_type = 'redline' then finding_id end) as redline_count,
        count(distinct case when finding_type = 'issue' then finding_id end) as issue_count
    from {{ ref('int_production__findings') }}
    group by run_step_id
),

sessions as (
    select
        run_step_id,
        count(*) as session_count,
        count(*) filter (where is_open) as open_session_count,
        sum(hours) as touch_hours
    from {{ ref('labor_sessions') }}
    group by run_step_id
)

select
    run_steps.run_step_id,
    run_steps.run_id,
    runs.run_title,
    facts.procedure_id,
    facts.step_id,
    facts.execution_order,
    run_steps.position as run_step_position,
    run_steps.run_step_title,
    run_steps.run_step_type,
    run_steps.status,
    run_steps.parent_run_step_id,
    facts.is_group,
    facts.is_added_by_redline,
    facts.step_kind,
    runs.part_inventory_id,
    coalesce(units.part_id, runs.part_id) as part_id,
    coalesce(units.part_number, parts.part_number) as part_number,
    coalesce(units.part_revision, parts.part_revision) as part_revision,
    units.serial_number,
    units.lot_number,
    run_steps.location_id,
    locations.location_name,
    run_steps.assigned_to_id,
    assignees.user_name as assigned_to,
    run_steps.started_at,
    starters.user_name as started_by,
    run_steps.ended_at,
    completers.user_name as completed_by,
    {{ hours_between('run_steps.started_at', 'run_steps.ended_at') }} as elapsed_hours,
    coalesce(sessions.touch_hours, 0) as touch_hours,
    coalesce(sessions.session_count, 0) as session_count,
    coalesce(sessions.open_session_count, 0) as open_session_count,
    coalesce(attempts.attempt_count, 0) as attempt_count,
    attempts.first_attempt_ended_at,
    coalesce(attempts.has_failed, false) as has_failed,
    first_attempts.is_first_pass,
    coalesce(attempts.is_from_history, false) as is_from_history,
    coalesce(findings.failed_validation_count, 0) as failed_validation_count,
    coalesce(findings.redline_count, 0) as redline_count,
    coalesce(findings.issue_count, 0) as issue_count,
    run_steps.created_at,
    run_steps.updated_at,
    run_steps.is_export_controlled
from run_steps
inner join facts on run_steps.run_step_id = facts.run_step_id
left join runs on run_steps.run_id = runs.run_id
left join units on runs.part_inventory_id = units.part_inventory_id
left join parts on runs.part_id = parts.part_id
left join users as assignees on run_steps.assigned_to_id = assignees.user_id
left join users as starters on run_steps.started_by_id = starters.user_id
left join users as completers on run_steps.completed_by_id = completers.user_id
left join locations on run_steps.location_id = locations.location_id
left join attempts on run_steps.run_step_id = attempts.run_step_id
left join first_attempts on run_steps.run_step_id = first_attempts.run_step_id
left join findings on run_steps.run_step_id = findings.run_step_id
left join sessions on run_steps.run_step_id = sessions.run_step_id
order by run_steps.run_id, facts.execution_order, run_steps.position, run_steps.run_step_id
