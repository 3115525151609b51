{#- A recursion ended by itself: no value has reached the limit at which it would have been cut off. -#}
{% test stays_below(model, column, cap) %}
select {{ column }}
from {{ model }}
where {{ column }} >= {{ cap }}
{% endtest %}
