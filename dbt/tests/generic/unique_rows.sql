{#- No two rows agree in all the given columns; nulls count as equal. -#}
{% test unique_rows(model, columns) %}

select {{ columns | join(', ') }}
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1

{% endtest %}
