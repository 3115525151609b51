with units as (
    select
        labels.*,
        -- A lot and untracked stock share the work among their pieces.
        case when labels.tracking_type = 'SERIAL' then 1 else inventories.quantity end as sharing_pieces
    from {{ ref('int_abom__units') }} as labels
    inner join {{ ref('stg_ion__part_inventories') }} as inventories
        on labels.part_inventory_id = inventories.part_inventory_id
)

select
    'purchase' as cost_type,
    part_inventory_id,
    case when price is not null then currency end as currency,
    price as cost,
    cast(null as bigint) as session_count
from {{ ref('int_supply__piece_prices') }}
union all
select
    'labor' as cost_type,
    sessions.part_inventory_id,
    case when sessions.labor_cost is not null and units.sharing_pieces > 0 then sessions.currency end as currency,
    case when units.sharing_pieces > 0 then sum(sessions.labor_cost) / units.sharing_pieces end as cost,
    count(*) as session_count
from {{ ref('labor_sessions') }} as sessions
inner join units on sessions.part_inventory_id = units.part_inventory_id
group by
    sessions.part_inventory_id,
    units.sharing_pieces,
    case when sessions.labor_cost is not null and units.sharing_pieces > 0 then sessions.currency end
