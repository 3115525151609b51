with parts as (
    select * from {{ ref('parts') }}
),

figures as (
    {% for figure in [
        'on_hand', 'on_purchase', 'on_runs', 'procedures', 'plan_lines', 'build_requirements', 'kit_items', 'plan_inputs'
    ] %}
        select
            '{{ figure }}' as figure,
            {{ loop.index }} as figure_order,
            {{ figure not in ('procedures', 'plan_lines') }} as has_quantity
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

details as (
    select
        part_id,
        figure,
        count(*) filter (where not is_of_earlier_revision) as record_count,
        sum(quantity_open) filter (where not is_of_earlier_revision and is_in_sum) as quantity,
        count(*) filter (where not is_of_earlier_revision and not is_in_sum) as records_not_in_quantity,
        count(*) as record_count_with_earlier,
        sum(quantity_open) filter (where is_in_sum) as quantity_with_earlier,
        count(*) filter (where not is_in_sum) as records_not_in_quantity_with_earlier
    from {{ ref('part_impact_details') }}
    group by part_id, figure
)

select
    parts.part_id,
    parts.part_number,
    parts.part_revision,
    parts.part_description,
    parts.is_latest_revision,
    figures.figure,
    figures.figure_order,
    coalesce(details.record_count, 0) as record_count,
    case when figures.has_quantity then coalesce(details.quantity, 0) end as quantity,
    case when figures.has_quantity then coalesce(details.records_not_in_quantity, 0) end as records_not_in_quantity,
    coalesce(details.record_count_with_earlier, 0) as record_count_with_earlier,
    case when figures.has_quantity then coalesce(details.quantity_with_earlier, 0) end as quantity_with_earlier,
    case when figures.has_quantity then coalesce(details.records_not_in_quantity_with_earlier, 0) end
        as records_not_in_quantity_with_earlier,
    parts.unit_of_measure,
    parts.is_export_controlled
from parts
cross join figures
left join details on parts.part_id = details.part_id and figures.figure = details.figure
order by parts.part_id, figures.figure_order
