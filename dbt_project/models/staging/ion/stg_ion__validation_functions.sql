with source as (
    select * from {{ source('ion', 'validation_functions') }}
),

renamed as (
    select
        id as validation_function_id,
        function_name,
        display_name,
        _created as created_at,
        _updated as updated_at
    from source
)

select * from renamed
