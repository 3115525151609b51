select
    units.*,
    parts.maintenance_interval_seconds
from {{ ref('part_inventories') }} as units
left join {{ ref('parts') }} as parts on units.part_id = parts.part_id
where units.part_type = 'TOOL' or units.usage_type = 'TOOL'
