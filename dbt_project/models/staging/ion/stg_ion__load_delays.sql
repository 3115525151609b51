with source as (
    select * from {{ source('ion_load_log', '_ion_load_delays') }}
),

renamed as (
    select
        load_id,
        table_name,
        entity,
        delay_seconds,
        changes as change_count
    from source
)

select * from renamed
