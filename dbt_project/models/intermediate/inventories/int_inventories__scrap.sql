with versions as (
    select
        *,
        -- A serial is one piece. ION may mark a unit as scrapped without a quantity: the quantity it held is then
        -- scrapped.
        case
            when serial_number is not null
                then cast(status = 'SCRAPPED' or coalesce(quantity_scrapped, 0) > 0 as double)
            when coalesce(quantity_scrapped, 0) = 0 and status = 'SCRAPPED' then coalesce(quantity, 0)
            else coalesce(quantity_scrapped, 0)
        end as scrapped_so_far
    from {{ ref('stg_ion_history__part_inventories') }}
),

changes as (
    select
        *,
        row_number() over of_unit as version_number,
        -- A correction of scrap restates the earlier change, so only scrap that was never reversed counts.
        min(scrapped_so_far) over (
            partition by part_inventory_id order by valid_from rows between current row and unbounded following
        ) - coalesce(lag(scrapped_so_far) over of_unit, 0) as quantity_more,
        lag(updated_at) over of_unit as previous_updated_at
    from versions
    window of_unit as (partition by part_inventory_id order by valid_from)
),

pieces as (
    select * from {{ ref('int_inventories__pieces') }}
)

select
    changes.part_inventory_id,
    changes.version_number,
    changes.quantity_more as quantity_scrapped,
    case
        -- Where ION gives no time, the time of the load that first read it is used.
        when coalesce(changes.updated_at > changes.previous_updated_at, changes.updated_at is not null)
            then changes.updated_at
        else changes.valid_from
    end as scrapped_at,
    changes.version_number > 1 as is_from_history
from changes
inner join pieces on changes.part_inventory_id = pieces.part_inventory_id
where changes.quantity_more > 0
