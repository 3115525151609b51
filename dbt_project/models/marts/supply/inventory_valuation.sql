with versions as (
    select * from {{ ref('stg_ion_history__part_inventories') }}
),

parts as (
    select * from {{ ref('stg_ion__parts') }}
),

units_of_measurement as (
    select * from {{ ref('stg_ion__units_of_measurement') }}
),

purchases as (
    select * from {{ ref('int_supply__purchase_costs') }}
),

-- The state at the end of a day counts: a version that ends on the day on which it began is in no day.
stock as (
    select
        versions.part_id,
        case when purchases.cost_per_piece is null then 'standard cost' else 'purchase price' end as cost_basis,
        case when purchases.cost_per_piece is not null then purchases.currency end as currency,
        coalesce(purchases.cost_per_piece, parts.cost) as cost_per_piece,
        greatest(coalesce(versions.quantity, 0) - coalesce(versions.quantity_installed, 0), 0) as quantity,
        {{ production_day('versions.valid_from') }} as from_on,
        {{ production_day('versions.valid_to') }} as until_on
    from versions
    left join parts on versions.part_id = parts.part_id
    left join purchases on versions.part_inventory_id = purchases.part_inventory_id
    where
        coalesce(versions.status not in ('ON_ORDER', 'SCRAPPED'), true)
        and coalesce(versions.unit_of_measure_id, parts.unit_of_measure_id)
        is not distinct from parts.unit_of_measure_id
),

changes as (
    select
        *,
        from_on as changed_on,
        1 as direction
    from stock
    where quantity > 0 and coalesce(until_on > from_on, true)
    union all
    select
        *,
        until_on as changed_on,
        -1 as direction
    from stock
    where quantity > 0 and until_on > from_on
),

daily as (
    select
        part_id,
        cost_basis,
        currency,
        changed_on,
        sum(direction * quantity) as quantity_change,
        sum(direction * quantity * cost_per_piece) as value_change,
        sum(case when cost_per_piece is null then direction * quantity else 0 end) as quantity_without_cost_change
    from changes
    group by part_id, cost_basis, currency, changed_on
),

-- Rounded, because a sum of floating-point changes that cancel out is not exactly 0.
states as (
    select
        part_id,
        cost_basis,
        currency,
        changed_on,
        round(sum(quantity_change) over so_far, 6) as quantity,
        round(sum(coalesce(value_change, 0)) over so_far, 6) as stock_value,
        round(sum(quantity_without_cost_change) over so_far, 6) as quantity_without_cost
    from daily
    window so_far as (
        partition by part_id, cost_basis, currency order by changed_on rows between unbounded preceding and current row
    )
),

compared as (
    select
        *,
        row_number() over in_order as place,
        lag(quantity) over in_order as previous_quantity,
        lag(stock_value) over in_order as previous_stock_value,
        lag(quantity_without_cost) over in_order as previous_quantity_without_cost
    from states
    window in_order as (partition by part_id, cost_basis, currency order by changed_on)
),

periods as (
    select
        *,
        lead(changed_on) over (partition by part_id, cost_basis, currency order by changed_on) as next_on
    from compared
    where
        place = 1
        or quantity <> previous_quantity
        or stock_value <> previous_stock_value
        or quantity_without_cost <> previous_quantity_without_cost
)

select
    coalesce(cast(periods.part_id as string), '') || '/' || periods.cost_basis || '/' || coalesce(periods.currency, '')
    || '/' || cast(periods.changed_on as string) as inventory_valuation_key,
    periods.part_id,
    parts.part_number,
    parts.part_revision,
    units_of_measurement.unit_of_measure,
    periods.cost_basis,
    periods.currency,
    periods.changed_on as from_on,
    coalesce(periods.next_on - 1, {{ last_loaded_day() }}) as to_on,
    periods.next_on is null as is_current,
    periods.quantity,
    periods.quantity_without_cost,
    case when periods.quantity > periods.quantity_without_cost then periods.stock_value end as stock_value,
    coalesce(parts.is_export_controlled, false) as is_export_controlled
from periods
left join parts on periods.part_id = parts.part_id
left join units_of_measurement on parts.unit_of_measure_id = units_of_measurement.unit_of_measure_id
where periods.quantity > 0
order by parts.part_number, periods.part_id, periods.cost_basis, periods.currency, periods.changed_on
