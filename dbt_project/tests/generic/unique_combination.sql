{#- The columns together identify a row, and none of them is null. -#}
{% test unique_combination(model, columns) %}
select
    {{ columns | join(', ') }},
    count(*) as row_count
from {{ model }}
group by {{ columns | join(', ') }}
having
    count(*) > 1
    {% for column in columns %}or {{ column }} is null{% if not loop.last %} {% endif %}{% endfor %}
{% endtest %}
