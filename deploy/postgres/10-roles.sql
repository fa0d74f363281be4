-- Roles and database of Osler, once, when the server is new. The passwords come from the environment of the container.
\getenv app OSLER_APP_PASSWORD
\getenv migrator OSLER_MIGRATOR_PASSWORD
\getenv eraser OSLER_ERASER_PASSWORD
CREATE ROLE osler_owner NOLOGIN;
CREATE ROLE osler_reader NOLOGIN;
CREATE ROLE osler_retention NOLOGIN;
CREATE ROLE osler_app LOGIN PASSWORD :'app';
CREATE ROLE osler_eraser LOGIN PASSWORD :'eraser';
CREATE ROLE osler_migrator LOGIN PASSWORD :'migrator';
GRANT osler_owner TO osler_migrator;
GRANT osler_retention TO osler_migrator;
CREATE DATABASE osler OWNER osler_owner;
REVOKE ALL ON DATABASE osler FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE osler TO osler_app, osler_eraser, osler_migrator;
