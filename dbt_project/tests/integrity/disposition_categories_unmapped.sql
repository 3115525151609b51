-- Dispositions that the seed disposition_categories does not know: they show as `unmapped` until somebody decides.
{{ config(severity='warn') }}

select
    disposition,
    count(*) as issue_count
from {{ ref('issues') }}
where disposition_category = 'unmapped'
group by disposition
