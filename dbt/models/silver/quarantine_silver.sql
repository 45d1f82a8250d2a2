{{ config(materialized='view') }}

with staging as (

    select * from {{ source('raw', 'raw_quarantine_staging') }}

)

select
    source_object as _source_object,
    line as _source_line,
    reason,
    dt as arrival_date,
    byte_offset,
    byte_length,
    raw,
    raw_base64,
    _quarantine_file
from staging
