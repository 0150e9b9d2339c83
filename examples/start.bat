@echo off
rem SPDX-License-Identifier: MIT
rem Does inside WSL2 what start.sh does on Linux; the dashboard opens in the browser of Windows.
setlocal
where wsl >nul 2>nul || (echo WSL is not installed: run "wsl --install -d Debian" as administrator, then restart. & exit /b 1)
rem the shell inside WSL would take backslashes for escapes
set "here=%~dp0."
set "here=%here:\=/%"
for /f "usebackq delims=" %%p in (`wsl wslpath -a "%here%"`) do set "folder=%%p"
wsl sh "%folder%/start.sh" --no-browser %*
if errorlevel 1 exit /b %errorlevel%
if "%1"=="--stop" exit /b 0
start http://127.0.0.1:8420/
