@echo off
rem SPDX-License-Identifier: MIT
rem Does inside WSL2 what install.sh does on Linux. Wants Windows 10 2004 or later with a Debian or Ubuntu in WSL2 (wsl --install -d Debian).
setlocal
where wsl >nul 2>nul || (echo WSL is not installed: run "wsl --install -d Debian" as administrator, then restart. & exit /b 1)
rem the shell inside WSL would take backslashes for escapes
set "here=%~dp0."
set "here=%here:\=/%"
for /f "usebackq delims=" %%p in (`wsl wslpath -a "%here%"`) do set "folder=%%p"
wsl sh "%folder%/install.sh" %*
exit /b %errorlevel%
