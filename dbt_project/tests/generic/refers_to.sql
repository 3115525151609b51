{#-
    The rows that the columns refer to exist. `references` gives, per column, the referenced table and its key. A column
    that is null in every row is not tested, so it is reported too. Severity warn: ION is read while it is in use, so a
    row may refer to a row created after its table was read; the next load reads that row.
-#}
{% test refers_to(model, references) %}
{{ config(severity='warn') }}
{% for column, target in references.items() %}
select
    '{{ column }}' as column_name,
    cast(referring.{{ column }} as string) as finding
from {{ model }} as referring
left join {{ target.to }} as referred on referring.{{ column }} = referred.{{ target.field }}
where referring.{{ column }} is not null and referred.{{ target.field }} is null
union all
select
    '{{ column }}' as column_name,
    'refers to nothing in any row' as finding
where not exists (select 1 from {{ model }} where {{ column }} is not null)
{{ 'union all' if not loop.last }}
{% endfor %}
{% endtest %}
