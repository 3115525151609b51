with suppliers as (
    select * from {{ ref('stg_ion__suppliers') }}
),

attribute_maps as (
    {{ attribute_maps('supplier') }}
)

select
    suppliers.supplier_id,
    suppliers.supplier_name,
    suppliers.supplier_description,
    suppliers.contact_name,
    suppliers.email,
    suppliers.phone_number,
    suppliers.address,
    attribute_maps.attributes,
    suppliers.created_at,
    suppliers.updated_at
from suppliers
left join attribute_maps on suppliers.supplier_id = attribute_maps.owner_id
order by suppliers.supplier_id
