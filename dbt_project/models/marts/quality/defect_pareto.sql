with units as (
    select * from {{ ref('issue_units') }}
),

issues as (
    select * from {{ ref('issues') }}
),

-- Each issue counts with its defects in each of its classes; issues without a class form a class of their own.
classified as (
    select
        'part' as dimension,
        coalesce(units.part_number, 'no part') as class,
        issues.issue_id,
        units.quantity_affected as defects
    from issues
    left join units on issues.issue_id = units.issue_id
    union all
    select
        'disposition_category' as dimension,
        disposition_category as class,
        issue_id,
        quantity_affected as defects
    from issues
    union all
    select
        'procedure_step' as dimension,
        coalesce(procedure_title || ': ' || run_step_title, run_step_title, 'no step') as class,
        issue_id,
        quantity_affected as defects
    from issues
    union all
    select
        'supplier' as dimension,
        coalesce(supplier_name, 'no supplier') as class,
        issue_id,
        quantity_affected as defects
    from issues
    union all
    select
        'label' as dimension,
        {{ each_of("coalesce(nullif(labels, " ~ empty_list() ~ "), " ~ list_with("'no label'") ~ ")") }} as class,
        issue_id,
        quantity_affected as defects
    from issues
),

counted as (
    select
        dimension,
        class,
        count(distinct issue_id) as issue_count,
        coalesce(sum(defects), 0) as defect_count
    from classified
    group by dimension, class
),

ranked as (
    select
        *,
        row_number() over in_order as class_rank,
        sum(defect_count) over (partition by dimension) as total_defect_count,
        sum(defect_count) over (
            partition by dimension
            order by defect_count desc, class asc
            rows between unbounded preceding and current row
        ) as cumulative_defect_count
    from counted
    window in_order as (partition by dimension order by defect_count desc, class asc)
)

select
    dimension,
    class_rank,
    class,
    issue_count,
    defect_count,
    total_defect_count,
    defect_count / nullif(total_defect_count, 0) as defect_share,
    cumulative_defect_count,
    cumulative_defect_count / nullif(total_defect_count, 0) as cumulative_defect_share
from ranked
order by dimension, class_rank
