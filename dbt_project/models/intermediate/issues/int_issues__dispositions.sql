with issues as (
    select * from {{ ref('stg_ion__issues') }}
),

types as (
    select * from {{ ref('stg_ion__issue_disposition_types') }}
),

categories as (
    select
        lower(trim(disposition)) as disposition_key,
        disposition_category,
        is_scrap,
        is_rejected
    from {{ ref('disposition_categories') }}
),

disposed as (
    select
        issues.issue_id,
        coalesce(nullif(trim(types.disposition_type), ''), {{ words_of('issues.disposition') }}) as disposition
    from issues
    left join types on issues.issue_disposition_type_id = types.issue_disposition_type_id
)

select
    disposed.issue_id,
    disposed.disposition,
    case
        when disposed.disposition is null then 'undispositioned'
        else coalesce(categories.disposition_category, 'unmapped')
    end as disposition_category,
    coalesce(categories.is_scrap, false) as is_scrap,
    coalesce(categories.is_rejected, false) as is_rejected
from disposed
left join categories on lower(trim(disposed.disposition)) = categories.disposition_key
