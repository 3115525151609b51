with units as (
    select
        labels.*,
        parts.cost as standard_cost,
        case when parts.cost is not null then {{ organization_setting('labor_rate_currency') }} end
            as standard_cost_currency
    from {{ ref('int_abom__units') }} as labels
    left join {{ ref('stg_ion__parts') }} as parts on labels.part_id = parts.part_id
),

costs as (
    select * from {{ ref('int_abom__own_costs') }}
    where currency is not null
),

gaps as (
    select * from {{ ref('int_abom__cost_gaps') }}
),

uses as (
    select
        part_inventory_id as root_part_inventory_id,
        part_inventory_id,
        cast(1 as double) as quantity,
        true as is_own
    from units
    union all
    select
        ancestor_part_inventory_id as root_part_inventory_id,
        component_part_inventory_id as part_inventory_id,
        quantity_extended as quantity,
        false as is_own
    from {{ ref('int_abom__where_used') }}
),

-- What is installed for traceability only, in quantity 0, costs nothing.
counts as (
    select
        uses.root_part_inventory_id,
        count(*) filter (where not uses.is_own) as component_count,
        count(*) filter (where uses.quantity is null or (uses.quantity <> 0 and gaps.is_without_cost))
            as units_without_cost,
        cast(sum(gaps.sessions_without_cost) as bigint) as sessions_without_cost,
        bool_or(units.is_export_controlled) as is_export_controlled
    from uses
    inner join gaps on uses.part_inventory_id = gaps.part_inventory_id
    inner join units on uses.part_inventory_id = units.part_inventory_id
    group by uses.root_part_inventory_id
),

sums as (
    select
        uses.root_part_inventory_id,
        costs.currency,
        sum(costs.cost) filter (where uses.is_own and costs.cost_type = 'purchase') as purchase_cost,
        sum(costs.cost) filter (where uses.is_own and costs.cost_type = 'labor') as labor_cost,
        sum(uses.quantity * costs.cost) filter (where not uses.is_own and costs.cost_type = 'purchase')
            as component_purchase_cost,
        sum(uses.quantity * costs.cost) filter (where not uses.is_own and costs.cost_type = 'labor')
            as component_labor_cost,
        sum(uses.quantity * costs.cost) as total_cost
    from uses
    inner join costs on uses.part_inventory_id = costs.part_inventory_id
    where uses.quantity is not null
    group by uses.root_part_inventory_id, costs.currency
),

costed as (
    select
        units.*,
        sums.currency,
        sums.purchase_cost,
        sums.labor_cost,
        sums.component_purchase_cost,
        sums.component_labor_cost,
        sums.total_cost,
        count(sums.currency) over (partition by units.part_inventory_id) as currency_count
    from units
    left join sums on units.part_inventory_id = sums.root_part_inventory_id
)

select
    cast(costed.part_inventory_id as string) || ':' || coalesce(costed.currency, '') as unit_cost_key,
    costed.part_inventory_id,
    costed.part_id,
    costed.part_number,
    costed.part_revision,
    costed.serial_number,
    costed.lot_number,
    costed.currency,
    costed.purchase_cost,
    costed.labor_cost,
    costed.component_purchase_cost,
    costed.component_labor_cost,
    costed.total_cost,
    costed.currency_count,
    counts.component_count,
    counts.units_without_cost,
    counts.sessions_without_cost,
    costed.currency is not null and counts.units_without_cost = 0 and counts.sessions_without_cost = 0 as is_complete,
    costed.standard_cost,
    costed.standard_cost_currency,
    case
        when
            counts.units_without_cost = 0 and counts.sessions_without_cost = 0
            and costed.currency_count = 1 and costed.currency = costed.standard_cost_currency
            then costed.total_cost - costed.standard_cost
    end as cost_over_standard,
    coalesce(costed.is_export_controlled or counts.is_export_controlled, false) as is_export_controlled
from costed
inner join counts on costed.part_inventory_id = counts.root_part_inventory_id
order by costed.part_inventory_id, costed.currency
