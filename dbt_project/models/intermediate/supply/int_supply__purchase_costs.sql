select
    part_inventory_id,
    min(received_at) as received_at,
    case when count(*) = 1 then max(price) end as cost_per_piece,
    case when count(*) = 1 then max(currency) end as currency
from {{ ref('int_supply__piece_prices') }}
group by part_inventory_id
