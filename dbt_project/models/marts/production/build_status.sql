with contents as (
    select * from {{ ref('int_production__build_contents') }}
),

built as (
    select units.*
    from {{ ref('part_inventories') }} as units
    inner join contents on units.part_inventory_id = contents.part_inventory_id
    where contents.part_inventory_id = contents.built_part_inventory_id
),

unit_runs as (
    select * from {{ ref('run_history') }}
    where status is distinct from 'CANCELED'
),

progress as (
    select
        part_inventory_id,
        {{ ids_of('case when not is_finished then run_id end') }} as open_run_ids,
        cast(sum(steps_done) as bigint) as steps_done,
        cast(sum(steps_total) as bigint) as steps_total,
        min(first_started_at) as first_started_at,
        bool_or(is_export_controlled and not is_finished) as is_export_controlled
    from unit_runs
    group by part_inventory_id
),

open_steps as (
    select
        unit_runs.part_inventory_id,
        steps.*
    from unit_runs
    inner join {{ ref('int_production__step_availability') }} as steps on unit_runs.run_id = steps.run_id
    where not unit_runs.is_finished and (steps.status is null or steps.status not in ('COMPLETE', 'CANCELED'))
),

steps as (
    select
        part_inventory_id,
        {{ ids_of('case when is_available and not is_group then run_step_id end') }} as available_run_step_ids,
        {{ texts_of('case when is_available and not is_group then run_step_title end') }} as available_steps,
        count(*) filter (where status = 'HOLD') as steps_on_hold,
        count(*) filter (where status = 'REDLINE') as steps_in_redline,
        count(*) filter (where status = 'FAILED') as steps_failed,
        bool_or(is_export_controlled) as is_export_controlled
    from open_steps
    group by part_inventory_id
),

current_steps as (
    select
        unit_runs.part_inventory_id,
        {{ ids_of('open_runs.current_run_step_id') }} as current_run_step_ids,
        {{ texts_of('open_runs.current_step_title') }} as current_steps,
        min(open_runs.due_at) as due_at
    from unit_runs
    inner join {{ ref('open_runs') }} as open_runs on unit_runs.run_id = open_runs.run_id
    group by unit_runs.part_inventory_id
),

-- An issue that must be closed by a step blocks this step until then.
blocking as (
    select
        open_steps.part_inventory_id,
        {{ ids_of('issues.issue_id') }} as blocking_issue_ids,
        bool_or(issues.is_export_controlled) as is_export_controlled
    from open_steps
    inner join {{ ref('issues') }} as issues on open_steps.run_step_id = issues.must_close_by_run_step_id
    where issues.is_open
    group by open_steps.part_inventory_id
),

lines as (
    select
        contents.built_part_inventory_id,
        count(*) filter (where lines.status in ('missing', 'short')) as lines_incomplete,
        count(*) filter (where lines.status in ('over', 'wrong_part', 'designator_mismatch', 'unplanned'))
            as lines_deviating
    from contents
    inner join {{ ref('abom_conformance') }} as lines on contents.part_inventory_id = lines.part_inventory_id
    group by contents.built_part_inventory_id
)

select
    built.part_inventory_id,
    built.part_id,
    built.part_number,
    built.part_revision,
    built.serial_number,
    built.lot_number,
    built.status,
    built.location_name,
    coalesce(progress.open_run_ids, {{ empty_list() }}) as open_run_ids,
    {{ list_text('progress.open_run_ids') }} as open_run_ids_text,
    progress.first_started_at,
    current_steps.due_at,
    coalesce(needs.requirements_filled, 0) as requirements_filled,
    coalesce(needs.requirements_total, 0) as requirements_total,
    coalesce(needs.requirements_unknown, 0) as requirements_unknown,
    coalesce(progress.steps_done, 0) as steps_done,
    coalesce(progress.steps_total, 0) as steps_total,
    coalesce(current_steps.current_run_step_ids, {{ empty_list() }}) as current_run_step_ids,
    {{ list_text('current_steps.current_run_step_ids') }} as current_run_step_ids_text,
    current_steps.current_steps,
    coalesce(steps.available_run_step_ids, {{ empty_list() }}) as available_run_step_ids,
    {{ list_text('steps.available_run_step_ids') }} as available_run_step_ids_text,
    steps.available_steps,
    coalesce(steps.steps_on_hold, 0) as steps_on_hold,
    coalesce(steps.steps_in_redline, 0) as steps_in_redline,
    coalesce(steps.steps_failed, 0) as steps_failed,
    coalesce(issues.open_issue_count, 0) as open_issue_count,
    coalesce(blocking.blocking_issue_ids, {{ empty_list() }}) as blocking_issue_ids,
    {{ list_text('blocking.blocking_issue_ids') }} as blocking_issue_ids_text,
    coalesce(issues.holding_issue_ids, {{ empty_list() }}) as holding_issue_ids,
    {{ list_text('issues.holding_issue_ids') }} as holding_issue_ids_text,
    coalesce(issues.held_content_count, 0) as held_content_count,
    coalesce(built.status = 'UNAVAILABLE', false) or blocking.part_inventory_id is not null
    or coalesce({{ list_length('issues.holding_issue_ids') }} > 0, false)
    or coalesce(steps.steps_on_hold + steps.steps_in_redline > 0, false) as is_blocked,
    case
        when lines.lines_deviating > 0 then 'deviating'
        when lines.lines_incomplete > 0 then 'incomplete'
        when lines.lines_incomplete = 0 then 'conforming'
    end as conformance,
    coalesce(lines.lines_incomplete, 0) as lines_incomplete,
    coalesce(lines.lines_deviating, 0) as lines_deviating,
    coalesce(needs.short_part_ids, {{ empty_list() }}) as short_part_ids,
    {{ list_text('needs.short_part_ids') }} as short_part_ids_text,
    needs.short_parts,
    coalesce(needs.on_order_part_ids, {{ empty_list() }}) as on_order_part_ids,
    {{ list_text('needs.on_order_part_ids') }} as on_order_part_ids_text,
    needs.on_order_parts,
    needs.next_expected_on,
    needs.last_expected_on,
    built.is_export_controlled or coalesce(needs.is_export_controlled, false)
    or coalesce(progress.is_export_controlled, false) or coalesce(steps.is_export_controlled, false)
    or coalesce(blocking.is_export_controlled, false) or coalesce(issues.is_export_controlled, false)
        as is_export_controlled
from built
left join {{ ref('int_production__build_needs') }} as needs
    on built.part_inventory_id = needs.built_part_inventory_id
left join progress on built.part_inventory_id = progress.part_inventory_id
left join steps on built.part_inventory_id = steps.part_inventory_id
left join current_steps on built.part_inventory_id = current_steps.part_inventory_id
left join blocking on built.part_inventory_id = blocking.part_inventory_id
left join {{ ref('int_production__build_issues') }} as issues
    on built.part_inventory_id = issues.built_part_inventory_id
left join lines on built.part_inventory_id = lines.built_part_inventory_id
order by built.part_inventory_id
