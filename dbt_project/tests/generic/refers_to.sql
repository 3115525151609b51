{#-
    What the columns refer to is there. `references` gives, per column, the table referred to and its key. A column
    that refers to nothing in any row has not been tested, and is reported too. A warning: ION is read while it is in
    use, so a row may refer to one that came after its table had been read; the next load brings it.
-#}
{% test refers_to(model, references) %}
{{ config(severity='warn') }}
{% for column, target in references.items() %}
select
    '{{ column }}' as column_name,
    cast(referring.{{ column }} as varchar) as finding
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
