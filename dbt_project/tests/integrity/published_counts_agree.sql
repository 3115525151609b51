-- Counts that several published tables have, compared between marts at their coarsest common grain. A count that only
-- one table has is also a difference.
{% set counts = [
    ('attempts of a run', "select run_id as item, attempt_count as amount from " ~ ref('runs'),
        "select run_id as item, sum(attempt_count) as amount from " ~ ref('run_steps')
        ~ " where run_id in (select run_id from " ~ ref('runs') ~ ") group by run_id"),
    ('redlines of a run', "select run_id as item, redline_count as amount from " ~ ref('runs'),
        "select run_id as item, sum(redline_count) as amount from " ~ ref('run_steps')
        ~ " where run_id in (select run_id from " ~ ref('runs') ~ ") group by run_id"),
    ('failed validations of a run', "select run_id as item, failed_validation_count as amount from " ~ ref('runs'),
        "select run_id as item, sum(failed_validation_count) as amount from " ~ ref('run_steps')
        ~ " where run_id in (select run_id from " ~ ref('runs') ~ ") group by run_id"),
    ('issues of a run', "select run_id as item, issue_count as amount from " ~ ref('runs'),
        "select run_id as item, count(*) as amount from " ~ ref('issues') ~ " where run_id in (select run_id from "
        ~ ref('runs') ~ ") group by run_id"),
    ('issues of a run step', "select run_step_id as item, issue_count as amount from " ~ ref('run_steps'),
        "select run_step_id as item, count(*) as amount from " ~ ref('issues')
        ~ " where run_id is not null group by run_step_id"),
    ('touch hours of a run', "select run_id as item, touch_hours as amount from " ~ ref('runs'),
        "select run_id as item, sum(hours) as amount from " ~ ref('labor_sessions') ~ " where run_id in (select run_id from "
        ~ ref('runs') ~ ") group by run_id"),
    ('touch hours of a run step', "select run_step_id as item, touch_hours as amount from " ~ ref('run_steps'),
        "select run_step_id as item, sum(hours) as amount from " ~ ref('labor_sessions')
        ~ " where run_step_id in (select run_step_id from " ~ ref('run_steps') ~ ") group by run_step_id"),
    ('sessions of a run', "select run_id as item, session_count as amount from " ~ ref('runs'),
        "select run_id as item, count(*) as amount from " ~ ref('labor_sessions') ~ " where run_id in (select run_id from "
        ~ ref('runs') ~ ") group by run_id"),
    ('open sessions of a run', "select run_id as item, open_session_count as amount from " ~ ref('runs'),
        "select run_id as item, sum(open_session_count) as amount from " ~ ref('run_steps')
        ~ " where run_id in (select run_id from " ~ ref('runs') ~ ") group by run_id"),
    ('sessions of a run step', "select run_step_id as item, session_count as amount from " ~ ref('run_steps'),
        "select run_step_id as item, count(*) as amount from " ~ ref('labor_sessions')
        ~ " where run_step_id in (select run_step_id from " ~ ref('run_steps') ~ ") group by run_step_id"),
    ('touch hours on a part', "select part_number as item, sum(touch_hours) as amount from " ~ ref('defect_rates')
        ~ " group by part_number",
        "select part_number as item, sum(hours) as amount from " ~ ref('labor_sessions')
        ~ " where part_number is not null and checked_in_at is not null group by part_number"),
    ('units of a run', "select run_id as item, unit_count as amount from " ~ ref('runs'),
        "select run_id as item, count(*) as amount from " ~ ref('run_history') ~ " group by run_id"),
    ('redlines in the history of a unit',
        "select run_id as item, max(redline_count) as amount from " ~ ref('run_history') ~ " group by run_id",
        "select run_id as item, redline_count as amount from " ~ ref('runs') ~ " where unit_count > 0"),
    ('issues in the history of a unit',
        "select run_id as item, max(issue_count) as amount from " ~ ref('run_history') ~ " group by run_id",
        "select run_id as item, issue_count as amount from " ~ ref('runs') ~ " where unit_count > 0"),
    ('steps done in the history of a unit',
        "select run_id as item, max(steps_done) as amount from " ~ ref('run_history') ~ " group by run_id",
        "select run_id as item, steps_done as amount from " ~ ref('runs') ~ " where unit_count > 0"),
    ('steps in the history of a unit',
        "select run_id as item, max(steps_total) as amount from " ~ ref('run_history') ~ " group by run_id",
        "select run_id as item, steps_total as amount from " ~ ref('runs') ~ " where unit_count > 0"),
    ('elapsed hours in the history of a unit',
        "select run_id as item, max(elapsed_hours) as amount from " ~ ref('run_history') ~ " group by run_id",
        "select run_id as item, elapsed_hours as amount from " ~ ref('runs') ~ " where unit_count > 0"),
    ('touch hours in the history of a unit',
        "select run_id as item, max(touch_hours) as amount from " ~ ref('run_history') ~ " group by run_id",
        "select run_id as item, touch_hours as amount from " ~ ref('runs') ~ " where unit_count > 0"),
    ('steps done of open runs', "select run_id as item, steps_done as amount from " ~ ref('open_runs'),
        "select run_id as item, steps_done as amount from " ~ ref('runs') ~ " where not is_finished"),
    ('steps of open runs', "select run_id as item, steps_total as amount from " ~ ref('open_runs'),
        "select run_id as item, steps_total as amount from " ~ ref('runs') ~ " where not is_finished"),
    ('age of open runs', "select run_id as item, wip_age_hours as amount from " ~ ref('open_runs'),
        "select run_id as item, wip_age_hours as amount from " ~ ref('runs') ~ " where not is_finished"),
    ('redlines of a procedure', "select procedure_id as item, sum(redlines) as amount from " ~ ref('redline_rates')
        ~ " group by procedure_id",
        "select procedure_id as item, sum(redline_count) as amount from " ~ ref('runs')
        ~ " where first_started_at is not null and status is distinct from 'CANCELED' and procedure_id is not null"
        ~ " group by procedure_id"),
    ('units tried at a step', "select step_id as item, sum(units_attempted) as amount from " ~ ref('first_pass_yield')
        ~ " group by step_id",
        "select steps.step_id as item, count(distinct history.part_inventory_id) as amount from " ~ ref('run_steps')
        ~ " as steps inner join " ~ ref('run_history') ~ " as history on steps.run_id = history.run_id"
        ~ " where steps.attempt_count > 0 and steps.step_id is not null group by steps.step_id"),
    ('pieces tried at mandatory steps, of known parts',
        "select step_id as item, sum(quantity_attempted) as amount from first_pass_yield_of_parts group by step_id",
        "select step.step_id as item, sum(step.quantity_attempted) as amount from rolled_steps"
        ~ " where step.step_id in (select step_id from first_pass_yield_of_parts) group by step.step_id"),
    ('redlines of run steps', "select step_id as item, sum(redlines) as amount from " ~ ref('step_redline_rates')
        ~ " group by step_id",
        "select step_id as item, sum(redline_count) as amount from " ~ ref('run_steps') ~ " where step_id is not null"
        ~ " and not is_group and status is distinct from 'CANCELED'"
        ~ " and coalesce(started_at, first_attempt_ended_at) is not null group by step_id"),
    ('run steps that failed', "select step_id as item, sum(run_steps_failed) as amount from " ~ ref('control_chart_points')
        ~ " group by step_id",
        "select step_id as item, count(*) as amount from " ~ ref('run_steps')
        ~ " where step_id is not null and coalesce(ended_at, updated_at) is not null"
        ~ " and (status = 'FAILED' or status = 'COMPLETE' and failed_validation_count > 0) group by step_id"),
    ('run steps that ended', "select step_id as item, sum(run_steps_ended) as amount from " ~ ref('control_chart_points')
        ~ " group by step_id",
        "select step_id as item, count(*) as amount from " ~ ref('run_steps')
        ~ " where step_id is not null and coalesce(ended_at, updated_at) is not null"
        ~ " and status in ('COMPLETE', 'FAILED') group by step_id"),
    ('issues of run steps that ended', "select step_id as item, sum(issues_found) as amount from "
        ~ ref('control_chart_points') ~ " group by step_id",
        "select step_id as item, sum(issue_count) as amount from " ~ ref('run_steps')
        ~ " where step_id is not null and coalesce(ended_at, updated_at) is not null"
        ~ " and status in ('COMPLETE', 'FAILED') group by step_id"),
    ('defects of a part', "select part_number as item, sum(defect_count) as amount from " ~ ref('defect_rates')
        ~ " where part_number <> 'no part' group by part_number",
        "select part_number as item, sum(defect_count) as amount from " ~ ref('defect_pareto')
        ~ " where part_number <> 'no part' group by part_number"),
    ('pieces affected of a part', "select part_number as item, sum(defect_count) as amount from " ~ ref('defect_rates')
        ~ " group by part_number",
        "select part_number as item, sum(quantity_affected) as amount from " ~ ref('issue_units')
        ~ " where part_number is not null group by part_number"),
    ('issues on a part', "select part_number as item, sum(issue_part_count) as amount from " ~ ref('defect_rates')
        ~ " where part_number <> 'no part' group by part_number",
        "select part_number as item, sum(issue_part_count) as amount from " ~ ref('defect_pareto')
        ~ " where part_number <> 'no part' group by part_number"),
    ('units under issues', "select part_number as item, sum(affected_unit_count) as amount from " ~ ref('defect_rates')
        ~ " where part_number <> 'no part' group by part_number",
        "select part_number as item, sum(affected_unit_count) as amount from " ~ ref('defect_pareto')
        ~ " where part_number <> 'no part' group by part_number"),
    ('defects of a disposition', "select disposition_category as item, sum(defect_count) as amount from "
        ~ ref('defect_pareto') ~ " group by disposition_category",
        "select disposition_category as item, sum(quantity_affected) as amount from " ~ ref('issue_units')
        ~ " group by disposition_category"),
    ('pieces of an issue', "select issue_id as item, quantity_affected as amount from " ~ ref('issues'),
        "select issue_id as item, sum(quantity_affected) as amount from " ~ ref('issue_units') ~ " group by issue_id"),
    ('units of an issue', "select issue_id as item, unit_count as amount from " ~ ref('issues'),
        "select issue_id as item, count(*) as amount from " ~ ref('issue_units') ~ " group by issue_id"),
    ('open issues', "select disposition_category as item, sum(issue_count) as amount from "
        ~ ref('open_issues_by_disposition') ~ " group by disposition_category",
        "select disposition_category as item, count(*) as amount from " ~ ref('issues')
        ~ " where is_open group by disposition_category"),
    ('units under open issues', "select disposition_category || '/' || disposition as item, unit_count as amount from "
        ~ ref('open_issues_by_disposition'),
        "select disposition_category || '/' || coalesce(disposition, '') as item,"
        ~ " count(distinct part_inventory_id) as amount from " ~ ref('issue_units')
        ~ " where is_open group by disposition_category, coalesce(disposition, '')"),
    ('times issues on a part were resolved',
        "select part_number as item, sum(resolved_issue_part_count) as amount from " ~ ref('issue_resolution')
        ~ " where part_number is not null group by part_number",
        "select units.part_number as item,"
        ~ " sum(1 + issues.reopened_count - case when issues.is_open then 1 else 0 end) as amount from "
        ~ ref('issues') ~ " as issues inner join (select distinct issue_id, part_number from " ~ ref('issue_units')
        ~ " where part_number is not null) as units on issues.issue_id = units.issue_id group by units.part_number"),
    ('pieces under open issues', "select disposition_category as item, sum(quantity_affected) as amount from "
        ~ ref('open_issues_by_disposition') ~ " group by disposition_category",
        "select disposition_category as item, sum(quantity_affected) as amount from " ~ ref('issues')
        ~ " where is_open group by disposition_category"),
    ('times issues were opened and resolved',
        "select 0 as item, sum(opened_count + resolved_count) as amount from " ~ ref('issue_backlog_daily'),
        "select 0 as item, sum(2 * (1 + reopened_count) - case when is_open then 1 else 0 end) as amount from "
        ~ ref('issues')),
    ('times issues were reopened', "select 0 as item, sum(reopened_count) as amount from "
        ~ ref('issue_backlog_daily'), "select 0 as item, sum(reopened_count) as amount from " ~ ref('issues')),
    ('issues open at the end', "select 0 as item, sum(opened_count - resolved_count) as amount from "
        ~ ref('issue_backlog_daily'), "select 0 as item, count(*) as amount from " ~ ref('issues') ~ " where is_open"),
    ('scrapped pieces', "select part_id as item, sum(quantity_scrapped) as amount from " ~ ref('scrap')
        ~ " group by part_id",
        "select part_id as item, sum(quantity_scrapped) as amount from " ~ ref('scrapped_units')
        ~ " where part_id is not null group by part_id"),
    ('pieces that only an issue scraps',
        "select part_id as item, sum(quantity_scrapped_in_issues_only) as amount from " ~ ref('scrap')
        ~ " group by part_id",
        "select part_id as item, sum(quantity_scrapped) as amount from " ~ ref('scrapped_units')
        ~ " where part_id is not null and recorded_in = 'issue' group by part_id"),
    ('results measured', "select step_field_id as item, sum(measurement_count) as amount from "
        ~ ref('process_capability') ~ " group by step_field_id",
        "select step_field_id as item, count(*) as amount from " ~ ref('measurements')
        ~ " where field_type = 'NUMBER' and value_number is not null and not is_cancelled"
        ~ " and step_field_id is not null group by step_field_id"),
] %}

{#- What a table of weeks or months counts, weighted so that no two differences cancel out, is what that of days counts.
-#}
{% set of_days = {
    'first_pass_yield': "select step_id as item, sum(units_attempted + 2 * quantity_attempted"
        ~ " + 3 * quantity_passed_first + 5 * quantity_failed_first + 7 * quantity_failed_validation_first"
        ~ " + 11 * quantity_redlined_first + 13 * quantity_issue_first + 17 * quantity_completed"
        ~ " + 19 * quantity_cancelled) as amount from TABLE group by step_id",
    'redline_rates': "select procedure_id as item, sum(runs_started + 2 * runs_redlined + 3 * redlines"
        ~ " + 5 * runs_cancelled) as amount from TABLE group by procedure_id",
    'defect_pareto': "select step_title as item, sum(issue_part_count + 2 * affected_unit_count + 3 * defect_count)"
        ~ " as amount from TABLE group by step_title",
} %}
{% for table, sums in of_days.items() %}
    {% for suffix in ['_by_week', '_by_month'] %}
        {% set longer, days = ref(table ~ suffix) | string, ref(table) | string %}
        {% do counts.append((table ~ suffix, sums.replace('TABLE', longer), sums.replace('TABLE', days))) %}
    {% endfor %}
{% endfor %}

with
-- Rolled yields are per part, so steps with units whose part ION withholds are left out.
first_pass_yield_of_parts as (
    select
        yields.step_id,
        yields.quantity_attempted
    from {{ ref('first_pass_yield_by_month') }} as yields
    where
        yields.step_kind = 'mandatory'
        and yields.procedure_id is not null
        and yields.units_attempted > 0
        -- A step that only groups others is not a factor of a rolled yield, although it may have been run.
        and yields.step_id not in (
            select kinds.step_id
            from {{ ref('int_procedures__step_kinds') }} as kinds
            where kinds.is_group
        )
        and yields.step_id not in (
            select steps.step_id
            from {{ ref('run_steps') }} as steps
            inner join {{ ref('run_history') }} as history on steps.run_id = history.run_id
            where history.part_id is null and steps.step_id is not null
        )
),

rolled_steps as (
    select {{ each_of('steps') }} as step
    from {{ ref('rolled_throughput_yield_by_month') }}
),

ones as (
    {% for measure, one, other in counts %}
        select
            '{{ measure }}' as measure,
            cast(item as string) as item,
            cast(amount as double) as amount
        from ({{ one }}) as counted
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

others as (
    {% for measure, one, other in counts %}
        select
            '{{ measure }}' as measure,
            cast(item as string) as item,
            cast(amount as double) as amount
        from ({{ other }}) as counted
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

compared as (
    select
        coalesce(ones.measure, others.measure) as measure,
        coalesce(ones.item, others.item) as item,
        coalesce(ones.amount, 0) as amount,
        coalesce(others.amount, 0) as other_amount
    from ones
    full outer join others on ones.measure = others.measure and ones.item = others.item
)

select
    measure,
    item,
    amount,
    other_amount
from compared
where
    -- Floating-point sums in another order are equal if they agree to nine digits or to six decimal places.
    (amount is null) is distinct from (other_amount is null)
    or abs(amount - other_amount) > 1e-9 * greatest(abs(amount), 1000)
union all
-- Fails if there are runs but nothing was compared.
select
    'nothing compared' as measure,
    null as item,
    count(*) as amount,
    0 as other_amount
from {{ ref('runs') }}
where (select count(*) from compared) = 0
having count(*) > 0
