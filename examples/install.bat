@echo off
rem SPDX-License-Identifier: MIT
rem Does inside WSL2 what install.sh does on Linux. Wants Windows 10 2004 or later with a Debian or Ubuntu in WSL2 (wsl --install -d Debian).
where wsl >nul 2>nul || (echo WSL is not installed: run "wsl --install -d Debian" as administrator, then restart. & exit /b 1)
for /f "usebackq delims=" %%p in (`wsl wslpath -a "%~dp0."`) do set folder=%%p
wsl sh "%folder%/install.sh" %*
exit /b %errorlevel%
