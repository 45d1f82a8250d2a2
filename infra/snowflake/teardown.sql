-- Removes everything that the other files made. The lake in S3 stays as it is, and everything can be
-- made again from it. First take the bucket's event notification away, or its events go nowhere.
-- Needs ACCOUNTADMIN. Within a day, `undrop database retail` brings the tables back.

use role accountadmin;

-- What costs money by itself ends first.
alter pipe if exists retail.raw.retail_bronze_pipe set pipe_execution_paused = true;
drop task if exists retail.raw.copy_bronze_task;
drop task if exists retail.raw.number_loads_task;
drop pipe if exists retail.raw.retail_bronze_pipe;

drop database if exists retail;
drop integration if exists retail_lake_integration;
drop integration if exists retail_bronze_integration;

drop user if exists retail_bi;
drop user if exists retail_dbt;
drop user if exists retail_pipe;
drop role if exists retail_reader;
drop role if exists retail_transformer;
drop role if exists retail_loader;

drop warehouse if exists retail_reader_wh;
drop warehouse if exists retail_wh;
drop resource monitor if exists retail_monitor;

-- See: nothing.
show warehouses like 'retail_%';
show integrations like 'retail_%';
show roles like 'retail_%';
show users like 'retail_%';
