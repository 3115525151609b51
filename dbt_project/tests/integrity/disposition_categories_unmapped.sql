-- Dispositions that the seed disposition_categories does not list; they appear as `unmapped` until they are added.
{{ config(severity='warn') }}

select
    disposition,
    count(*) as issue_count
from {{ ref('issues') }}
where disposition_category = 'unmapped'
group by disposition
