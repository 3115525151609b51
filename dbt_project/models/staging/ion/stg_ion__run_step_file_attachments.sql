with source as (
    select * from {{ source('ion', 'run_step_file_attachments') }}
),

renamed as (
    select
        run_step_id,
        id as file_attachment_id,
        filename
    from source
)

select * from renamed
