with source as (
    select * from {{ source('ion', 'issue_labels') }}
),

renamed as (
    select
        issue_id,
        label_id
    from source
)

select * from renamed
