with runs as (
    select
        *,
        coalesce(status in ('COMPLETE', 'PARTIAL_COMPLETE', 'CANCELED'), false) as is_finished
    from {{ ref('stg_ion__runs') }}
),

units as (
    select * from {{ ref('int_abom__units') }}
),

parts as (
    select * from {{ ref('stg_ion__parts') }}
),

procedures as (
    select * from {{ ref('stg_ion__procedures') }}
),

users as (
    select * from {{ ref('stg_ion__users') }}
),

loads as (
    select max(read_at) as as_of_at
    from {{ ref('stg_ion__loads') }}
),

unit_counts as (
    select
        run_id,
        count(*) as unit_count
    from {{ ref('int_production__run_units') }}
    group by run_id
),

steps as (
    select
        run_id,
        count(*) filter (where status is distinct from 'CANCELED') as steps_total,
        count(*) filter (where status = 'COMPLETE') as steps_done,
        count(*) filter (where status = 'CANCELED') as steps_cancelled,
        min(started_at) as first_started_at,
        max(ended_at) filter (where status = 'COMPLETE') as last_completed_at,
        sum(touch_hours) as touch_hours,
        sum(session_count) as session_count,
        sum(open_session_count) as open_session_count,
        sum(attempt_count) as attempt_count,
        bool_and(is_first_pass) as is_first_pass,
        bool_and(is_from_history) filter (where attempt_count > 0) as is_from_history,
        sum(failed_validation_count) as failed_validation_count,
        sum(redline_count) as redline_count,
        sum(issue_count) as issue_count
    from {{ ref('run_steps') }}
    group by run_id
),

timed as (
    select
        runs.run_id,
        coalesce(steps.first_started_at, runs.started_at) as first_started_at,
        case when runs.is_finished then coalesce(steps.last_completed_at, runs.ended_at) end as last_completed_at
    from runs
    left join steps on runs.run_id = steps.run_id
),

attribute_maps as (
    {{ attribute_maps('run') }}
)

select
    runs.run_id,
    runs.run_title,
    runs.status,
    runs.is_finished,
    runs.is_archived,
    runs.procedure_id,
    procedures.procedure_title,
    procedures.procedure_version,
    procedures.procedure_type,
    runs.part_inventory_id,
    coalesce(units.part_id, runs.part_id) as part_id,
    coalesce(units.part_number, parts.part_number) as part_number,
    coalesce(units.part_revision, parts.part_revision) as part_revision,
    units.serial_number,
    units.lot_number,
    runs.quantity as quantity_ordered,
    coalesce(unit_counts.unit_count, 0) as unit_count,
    runs.run_batch_id,
    batches.run_batch_title,
    runs.assigned_to_id,
    users.user_name as assigned_to,
    teams.team_name as assigned_team,
    runs.due_at,
    runs.scheduled_start_at,
    runs.scheduled_end_at,
    timed.first_started_at,
    timed.last_completed_at,
    {{ hours_between('timed.first_started_at', 'timed.last_completed_at') }} as elapsed_hours,
    coalesce(steps.touch_hours, 0) as touch_hours,
    cast(coalesce(steps.session_count, 0) as bigint) as session_count,
    cast(coalesce(steps.open_session_count, 0) as bigint) as open_session_count,
    case when not runs.is_finished then {{ hours_between('timed.first_started_at', 'loads.as_of_at') }} end
        as wip_age_hours,
    loads.as_of_at,
    coalesce(steps.steps_total, 0) as steps_total,
    coalesce(steps.steps_done, 0) as steps_done,
    coalesce(steps.steps_cancelled, 0) as steps_cancelled,
    cast(coalesce(steps.attempt_count, 0) as bigint) as attempt_count,
    -- A failure is known at once, a first pass only when the run is finished.
    case when not steps.is_first_pass or runs.is_finished then steps.is_first_pass end as is_first_pass,
    coalesce(steps.is_from_history, false) as is_from_history,
    cast(coalesce(steps.failed_validation_count, 0) as bigint) as failed_validation_count,
    cast(coalesce(steps.redline_count, 0) as bigint) as redline_count,
    cast(coalesce(steps.issue_count, 0) as bigint) as issue_count,
    attribute_maps.attributes,
    runs.created_at,
    runs.updated_at,
    runs.is_export_controlled
from runs
cross join loads
left join timed on runs.run_id = timed.run_id
left join steps on runs.run_id = steps.run_id
left join unit_counts on runs.run_id = unit_counts.run_id
left join units on runs.part_inventory_id = units.part_inventory_id
left join parts on runs.part_id = parts.part_id
left join procedures on runs.procedure_id = procedures.procedure_id
left join {{ ref('stg_ion__run_batches') }} as batches on runs.run_batch_id = batches.run_batch_id
left join users on runs.assigned_to_id = users.user_id
left join {{ ref('stg_ion__teams') }} as teams on runs.assigned_team_id = teams.team_id
left join attribute_maps on runs.run_id = attribute_maps.owner_id
order by runs.run_id
