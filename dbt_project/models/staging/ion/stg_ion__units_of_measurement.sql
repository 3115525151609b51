with source as (
    select * from {{ source('ion', 'units_of_measurement') }}
),

renamed as (
    select
        id as unit_of_measure_id,
        type as unit_of_measure,
        {{ audit_columns() }}
    from source
)

select * from renamed
