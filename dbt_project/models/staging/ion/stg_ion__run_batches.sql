with source as (
    select * from {{ source('ion', 'run_batches') }}
),

renamed as (
    select
        id as run_batch_id,
        title as run_batch_title,
        {{ audit_columns() }}
    from source
)

select * from renamed
