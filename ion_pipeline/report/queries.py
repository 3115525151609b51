"""All SQL of the report: over public tables, with values as parameters and a limit where there may be many rows."""

READS = frozenset({
    "genealogy.abom_hierarchy",
    "ops.freshness",
    "ops.loads",
    "production.serialized_units",
    "quality.control_chart_points",
    "quality.defect_pareto",
    "quality.first_pass_yield_by_month",
    "quality.first_pass_yield_by_week",
    "quality.issues",
    "quality.open_issues_by_disposition",
    "quality.supplier_quality",
    "supply.supplier_delivery",
})  # fmt: skip

TABLES = "select schema_name || '.' || table_name from duckdb_tables()"

LOAD = """
select load_id, tenant, strategy, read_at, loaded_at, rows_read
from ops.loads
where is_latest
"""

# Of the newest load whose publish is known: not yet of the one in this file.
DELAYS = """
select published_at, delayed_change_count, delay_median_seconds, delay_p99_seconds, delay_max_seconds
from ops.loads
where delayed_change_count > 0
order by load_id desc
limit 1
"""

FRESHNESS = """
select entity, row_count, last_read_at, watermark_at, lag_hours, delay_median_seconds, delay_p99_seconds
from ops.freshness
order by lag_hours nulls last, entity
limit $limit
"""

# One year, up to the newest period with an attempt.
YIELD_BY_WEEK = """
select
    week_starts_on as starts_on,
    sum(quantity_passed_first) as passed_first,
    sum(quantity_attempted) as attempted
from quality.first_pass_yield_by_week
where
    week_starts_on > (
        select max(week_starts_on) - interval 1 year
        from quality.first_pass_yield_by_week
        where quantity_attempted > 0
    )
group by week_starts_on
having sum(quantity_attempted) > 0
order by week_starts_on
"""

YIELD_BY_MONTH = """
select
    month_starts_on as starts_on,
    sum(quantity_passed_first) as passed_first,
    sum(quantity_attempted) as attempted
from quality.first_pass_yield_by_month
where
    month_starts_on > (
        select max(month_starts_on) - interval 1 year
        from quality.first_pass_yield_by_month
        where quantity_attempted > 0
    )
group by month_starts_on
having sum(quantity_attempted) > 0
order by month_starts_on
"""

# Each product as a whole and step by step, in the newest month with an attempt and the one before. What lost most comes
# first; `row_count` has all rows, those beyond the limit included.
PRODUCTS = """
with named as (
    select
        *,
        coalesce(part_number, 'part ' || part_id || ' (not shown)', 'no part') as product,
        coalesce(procedure_title || ': ', '') || step_title as step,
        max(month_starts_on) filter (quantity_attempted > 0) over () as month
    from quality.first_pass_yield_by_month
),

counted as (
    select
        product,
        step,
        grouping(step) = 1 as is_whole,
        min(execution_order) as execution_order,
        coalesce(sum(quantity_attempted) filter (month_starts_on = month), 0) as attempted,
        sum(quantity_passed_first) filter (month_starts_on = month) as passed_first,
        sum(quantity_failed_first) filter (month_starts_on = month) as failed,
        sum(quantity_failed_validation_first) filter (month_starts_on = month) as failed_validation,
        sum(quantity_redlined_first) filter (month_starts_on = month) as redlined,
        sum(quantity_issue_first) filter (month_starts_on = month) as with_issue,
        coalesce(sum(quantity_attempted) filter (month_starts_on < month), 0) as attempted_before,
        coalesce(sum(quantity_passed_first) filter (month_starts_on < month), 0) as passed_before
    from named
    where month_starts_on >= month - interval 1 month
    group by grouping sets ((product), (product, step))
),

shown as (
    select
        *,
        max(attempted - passed_first) filter (is_whole) over (partition by product) as lost,
        count(*) over () as row_count
    from counted
    where attempted > 0
)

select *
from shown
order by lost desc, product, is_whole desc, execution_order, step
limit $limit
"""

PARETO = """
with classes as (
    select
        case $dimension
            when 'procedure_step' then coalesce(nullif(procedure_title, 'no procedure') || ': ', '') || step_title
            when 'part' then part_number
            when 'supplier' then supplier_name
            when 'disposition_category' then disposition_category
            when 'labels' then labels
        end as class,
        sum(defect_count) as defect_count
    from quality.defect_pareto
    group by all
),

ranked as (
    select
        *,
        sum(defect_count) over (
            order by defect_count desc, class rows between unbounded preceding and current row
        ) as cumulative_defect_count,
        sum(defect_count) over () as total_defect_count
    from classes
)

select class, defect_count, cumulative_defect_count, total_defect_count
from ranked
where defect_count > 0
order by defect_count desc, class
limit $limit
"""

CONTROL_TOTALS = """
select
    count(distinct chart_key) as chart_count,
    count(distinct chart_key) filter (len(rules_broken) > 0) as broken_chart_count,
    count(*) as point_count
from quality.control_chart_points
"""

# Charts that are out of control now come first: ordered by points that break a rule among the last 25 and after the
# baseline (which may itself have been out of control), then by all points that break one.
CONTROL_CHARTS = """
with points as (
    select
        *,
        len(rules_broken) > 0 as is_broken,
        row_number() over (partition by chart_key order by point_number desc) as from_last
    from quality.control_chart_points
)

select
    chart_key,
    chart_type,
    coalesce(
        any_value(
            field_name || ' of ' || coalesce(part_number, 'part ' || part_id || ' (not shown)')
            || coalesce(' ' || part_revision, '')
        ),
        any_value(coalesce(procedure_title || ': ', '') || step_title),
        chart_key
    ) as title,
    any_value(
        case when field_name is not null then concat_ws(', ', procedure_title, step_title) end
    ) as step,
    any_value(unit) as unit,
    max(baseline_count) as baseline_count,
    count(*) as point_count,
    count_if(is_broken) as broken_count
from points
group by chart_key, chart_type
order by
    count_if(is_broken and not is_baseline and from_last <= 25) desc, broken_count desc, point_count desc, chart_key
limit $limit
"""

CONTROL_POINTS = """
with latest as (
    select *
    from quality.control_chart_points
    where chart_key = $chart_key
    order by point_number desc
    limit $limit
)

select
    point_number, coalesce(cast(measured_at as date), production_on) as measured_on, serial_number,
    coalesce(run_steps_failed, issues_found) as numerator, coalesce(run_steps_ended, units_ended) as denominator,
    chart_value, centre, lower_control_limit, upper_control_limit, sigmas_from_centre, is_baseline,
    rules_broken
from latest
order by point_number
"""

OPEN_BY_DISPOSITION = """
select
    coalesce(nullif(disposition, ''), disposition_category) as disposition,
    cast(sum(issue_count_0_to_7_days) as bigint) as days_7,
    cast(sum(issue_count_8_to_30_days) as bigint) as days_30,
    cast(sum(issue_count_31_to_90_days) as bigint) as days_90,
    cast(sum(issue_count_over_90_days) as bigint) as older
from quality.open_issues_by_disposition
group by all
order by sum(issue_count) desc, disposition
"""

OLDEST_OPEN = """
select
    issue_id,
    coalesce(issue_title, 'no title') as title,
    age_days,
    coalesce(disposition, disposition_category, 'undispositioned') as disposition,
    coalesce(part_numbers, []) as parts,
    assigned_to
from quality.issues
where is_open
order by age_days desc, issue_id
limit $limit
"""

SUPPLIER_MONTHS = """
with months as (
    select month_starts_on from supply.supplier_delivery where lines_due > 0
    union all
    select month_starts_on from quality.supplier_quality where receipt_item_count > 0
)

select
    cast(greatest(min(month_starts_on), max(month_starts_on) - interval 11 months) as date) as first_month,
    max(month_starts_on) as last_month
from months
"""

SUPPLIERS = """
with delivery as (
    select
        supplier_id,
        any_value(supplier_name) as supplier_name,
        sum(lines_on_time) as lines_on_time,
        sum(lines_judged) as lines_judged,
        sum(lines_late_and_open) as lines_late_and_open,
        sum(late_days) / nullif(sum(lines_late - lines_closed_short), 0) as mean_late_days
    from supply.supplier_delivery
    where month_starts_on >= $first_month and lines_due > 0
    group by supplier_id
),

quality as (
    select
        supplier_id,
        any_value(supplier_name) as supplier_name,
        sum(quantity_rejected) as quantity_rejected,
        sum(quantity_received) as quantity_received
    from quality.supplier_quality
    where month_starts_on >= $first_month and receipt_item_count > 0
    group by supplier_id
)

select
    coalesce(delivery.supplier_name, quality.supplier_name, 'supplier not named') as supplier_name,
    cast(coalesce(lines_on_time, 0) as bigint) as lines_on_time,
    cast(coalesce(lines_judged, 0) as bigint) as lines_judged,
    cast(coalesce(lines_late_and_open, 0) as bigint) as lines_late_and_open,
    mean_late_days,
    coalesce(quantity_rejected, 0) as quantity_rejected,
    coalesce(quantity_received, 0) as quantity_received
from delivery
full join quality on delivery.supplier_id is not distinct from quality.supplier_id
order by
    lines_judged - lines_on_time desc, quantity_rejected / nullif(quantity_received, 0) desc nulls last,
    lines_judged desc, supplier_name
limit $limit
"""

TOP_LEVEL = """
with trees as (
    select root_part_inventory_id as part_inventory_id, count(*) as line_count
    from genealogy.abom_hierarchy
    group by all
    having count(*) > 1
)

select part_inventory_id, line_count, count(*) over () as top_level_count
from trees
inner join production.serialized_units using (part_inventory_id)
where is_top_level
order by created_at desc nulls last, part_inventory_id desc
limit $limit
"""

LINE_COUNTS = """
select root_part_inventory_id, count(*)
from genealogy.abom_hierarchy
where list_contains($roots, root_part_inventory_id)
group by all
"""

TREES = """
select
    root_part_inventory_id, depth, part_inventory_id,
    coalesce(part_number, 'part ' || part_id || ' (not shown)') as part_number,
    part_revision, part_description, serial_number, lot_number, reference_designator, quantity_required,
    quantity_installed, is_open_requirement,
    is_made_on_assembly, is_substitute
from genealogy.abom_hierarchy
where list_contains($roots, root_part_inventory_id)
order by root_part_inventory_id, sort_key
"""
