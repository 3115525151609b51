with runs as (
    select * from {{ ref('runs') }}
    where not is_finished
),

steps as (
    select * from {{ ref('run_steps') }}
    where status not in ('COMPLETE', 'CANCELED') or status is null
),

-- The current step is the one in work, else one that is stopped, else the next one.
ranked as (
    select
        *,
        row_number() over (
            partition by run_id
            order by
                case status
                    when 'IN_PROGRESS' then 1
                    when 'REDLINE' then 2
                    when 'HOLD' then 3
                    when 'FAILED' then 4
                    else 5
                end asc,
                is_group asc,
                open_session_count > 0 desc,
                started_at desc nulls last,
                execution_order asc nulls last,
                run_step_position asc nulls last,
                run_step_id asc
        ) as place
    from steps
),

steps_in_progress as (
    select
        run_id,
        count(*) as steps_in_progress
    from steps
    where status = 'IN_PROGRESS'
    group by run_id
),

last_ends as (
    select
        run_id,
        max(ended_at) as ended_at
    from {{ ref('run_steps') }}
    group by run_id
),

workers as (
    select
        run_step_id,
        {{ texts_of('user_name') }} as checked_in
    from {{ ref('labor_sessions') }}
    where is_open
    group by run_step_id
)

select
    runs.run_id,
    runs.run_title,
    runs.status,
    runs.is_archived,
    runs.procedure_id,
    runs.procedure_title,
    runs.procedure_version,
    runs.part_inventory_id,
    runs.part_number,
    runs.part_revision,
    runs.serial_number,
    runs.lot_number,
    runs.run_batch_id,
    runs.assigned_to as run_assigned_to,
    runs.assigned_team as run_assigned_team,
    ranked.run_step_id as current_run_step_id,
    ranked.run_step_title as current_step_title,
    ranked.status as current_step_status,
    coalesce(ranked.assigned_to, runs.assigned_to) as assigned_to,
    workers.checked_in,
    ranked.started_by,
    ranked.location_id,
    ranked.location_name,
    coalesce(ranked.started_at, last_ends.ended_at, runs.created_at) as current_step_since_at,
    {{ hours_between('coalesce(ranked.started_at, last_ends.ended_at, runs.created_at)', 'runs.as_of_at') }}
        as current_step_hours,
    coalesce(steps_in_progress.steps_in_progress, 0) as steps_in_progress,
    runs.steps_done,
    runs.steps_total,
    runs.first_started_at,
    runs.wip_age_hours,
    runs.due_at,
    coalesce(runs.due_at < runs.as_of_at, false) as is_overdue,
    runs.as_of_at,
    coalesce(runs.is_export_controlled, false)
    or coalesce(ranked.is_export_controlled, false) as is_export_controlled
from runs
left join ranked on runs.run_id = ranked.run_id and ranked.place = 1
left join steps_in_progress on runs.run_id = steps_in_progress.run_id
left join last_ends on runs.run_id = last_ends.run_id
left join workers on ranked.run_step_id = workers.run_step_id
order by runs.first_started_at nulls last, runs.run_id
