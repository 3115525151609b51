with source as (
    select * from {{ source('ion_history', 'abom_edges') }}
),

renamed as (
    select
        id as abom_edge_id,
        parent_abom_item_id,
        child_abom_item_id,
        {{ audit_columns() }},
        valid_from,
        valid_to,
        is_current
    from source
)

select * from renamed
