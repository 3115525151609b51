{#- The marts `defect_pareto…`, for a period of 'day', 'week' or 'month'. -#}
{% macro defect_pareto_of(period) %}
{%- set period_on = period_column(period) %}
{%- set classes = [
    'part_number', 'procedure_title', 'step_title', 'disposition_category', 'supplier_name', 'labels', 'step_id'
] %}
with issues as (
    select * from {{ ref('issues') }}
),

steps as (
    select * from {{ ref('int_procedures__step_kinds') }}
),

units as (
    select
        issue_id,
        coalesce(part_number, 'no part') as part_number,
        count(*) as affected_unit_count,
        sum(quantity_affected) as defects
    from {{ ref('issue_units') }}
    group by issue_id, coalesce(part_number, 'no part')
),

each_label as (
    select
        issue_id,
        {{ each_of('labels') }} as label
    from issues
),

labels as (
    select
        issue_id,
        {{ text_of('label', ', ', 'label') }} as labels
    from each_label
    group by issue_id
),

-- An issue has one class, and one for each part that it affects; what it does not name is a class of its own.
classified as (
    select
        {{ period_of(period, production_day('issues.opened_at')) }} as {{ period_on }},
        coalesce(units.part_number, 'no part') as part_number,
        issues.step_id,
        coalesce(issues.procedure_title, 'no procedure') as procedure_title,
        coalesce(steps.step_title, issues.run_step_title, 'no step') as step_title,
        issues.disposition_category,
        coalesce(issues.supplier_name, 'no supplier') as supplier_name,
        coalesce(labels.labels, 'no label') as labels,
        coalesce(units.affected_unit_count, 0) as affected_unit_count,
        coalesce(units.defects, 0) as defects
    from issues
    left join units on issues.issue_id = units.issue_id
    left join labels on issues.issue_id = labels.issue_id
    left join steps on issues.step_id = steps.step_id
),

counted as (
    select
        {{ period_on }},
        {{ classes | join(',\n        ') }},
        count(*) as issue_part_count,
        cast(sum(affected_unit_count) as bigint) as affected_unit_count,
        sum(defects) as defect_count
    from classified
    group by {{ period_on }}, {{ classes | join(', ') }}
),

ranked as (
    select
        *,
        row_number() over in_order as class_rank,
        sum(defect_count) over (partition by {{ period_on }}) as total_defect_count,
        sum(defect_count) over (
            partition by {{ period_on }}
            order by defect_count desc, {{ classes | join(' asc, ') }} asc
            rows between unbounded preceding and current row
        ) as cumulative_defect_count
    from counted
    window in_order as (
        partition by {{ period_on }} order by defect_count desc, {{ classes | join(' asc, ') }} asc
    )
)

select
    {{ period_on }},
    class_rank,
    part_number,
    step_id,
    procedure_title,
    step_title,
    disposition_category,
    supplier_name,
    labels,
    issue_part_count,
    affected_unit_count,
    defect_count,
    total_defect_count,
    defect_count / nullif(total_defect_count, 0) as defect_share,
    cumulative_defect_count,
    cumulative_defect_count / nullif(total_defect_count, 0) as cumulative_defect_share
from ranked
order by {{ period_on }}, class_rank
{% endmacro %}
