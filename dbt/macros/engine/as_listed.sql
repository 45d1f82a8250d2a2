{#-
    A relation by the name under which the database lists it, which dbt's cache goes by: on Snowflake
    a name without quotes is in capitals.
-#}
{% macro as_listed(relation) %}
    {{ return(adapter.dispatch('as_listed')(relation)) }}
{% endmacro %}

{% macro default__as_listed(relation) %}
    {{ return(relation) }}
{% endmacro %}

{% macro snowflake__as_listed(relation) %}
    {{ return(api.Relation.create(
        database=relation.database | upper, schema=relation.schema | upper,
        identifier=relation.identifier | upper, type=relation.type)) }}
{% endmacro %}
