using System;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Threading;
using HpAsyncPs.Server.Monitoring;

namespace HpAsyncPs.ServerProgram.Alerts;

/// <summary>
/// Runs a command of the user's for each alert: by /bin/sh, for what people write there has pipes and quotes, as in crontab; nothing of an alert gets into the command's words. It is
/// started by timeout of coreutils, which leads a process group and ends it in time even if this process is killed meanwhile. All that is left of the group is killed when the command ends.
/// </summary>
internal sealed class AlertCommand : IAlertWay, IDisposable
{
    private const int TimedOut = 128 + 9; // killed by timeout
    private const int MostWords = 500;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly string _command;
    private readonly TimeSpan _limit;
    private readonly EventHandler _exiting;
    private int _group; // that runs; 0: none does

    /// <param name="command">What /bin/sh is to run.</param>
    /// <param name="limit">How long it may take.</param>
    public AlertCommand(string command, TimeSpan limit)
    {
        (_command, _limit) = (command, limit);
        _exiting = (_, _) => ProcessGroup.Kill(Volatile.Read(ref _group));
        AppDomain.CurrentDomain.ProcessExit += _exiting; // a launcher that has gone ends this process where it stands
    }

    /// <inheritdoc/>
    public string? Tell(Alert alert, byte[] json, AlertOrigin origin, CancellationToken stop)
    {
        // What it prints is for this log, not for our standard output.
        var start = new ProcessStartInfo("timeout", ["--signal=KILL", _limit.TotalSeconds.ToString("R", CultureInfo.InvariantCulture), "/bin/sh", "-c", "exec 1>&2\n" + _command])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["HPAPS_ALERT_KIND"] = Alert.NameOf(alert.Kind);
        start.Environment["HPAPS_ALERT_TEXT"] = AlertJson.Text(alert, origin);
        start.Environment["HPAPS_ALERT_RANK"] = alert.Event.Rank?.ToString(CultureInfo.InvariantCulture) ?? "";
        start.Environment["HPAPS_ALERT_SERVER"] = origin.Server;
        start.Environment["HPAPS_ALERT_HELD_BACK"] = alert.HeldBack.ToString(CultureInfo.InvariantCulture);
        try
        {
            using Process process = Process.Start(start)!;
            return Run(process, json, stop);
        }
        catch (Win32Exception e)
        {
            return $"cannot be started ({e.Message}); it needs timeout of coreutils, and /bin/sh";
        }
    }

    /// <inheritdoc/>
    public void Dispose() => AppDomain.CurrentDomain.ProcessExit -= _exiting;

    private string? Run(Process process, byte[] json, CancellationToken stop)
    {
        Volatile.Write(ref _group, process.Id);
        bool isStopped = false;
        string said = "";
        try
        {
            var reader = new Thread(() => Volatile.Write(ref said, LastWords(process.StandardError))) { IsBackground = true, Name = "alert command" };
            reader.Start();
            Give(process, json);
            long start = Stopwatch.GetTimestamp();
            while (!process.WaitForExit(Look))
            {
                isStopped |= stop.IsCancellationRequested;
                if (!isStopped && Stopwatch.GetElapsedTime(start) < _limit + Grace)
                    continue;
                ProcessGroup.Kill(process.Id);
                process.Kill(entireProcessTree: true); // it may not lead its group yet
            }

            ProcessGroup.Kill(process.Id); // what it has left in the background
            reader.Join(Grace);
        }
        finally
        {
            Volatile.Write(ref _group, 0);
        }

        string words = Volatile.Read(ref said).Trim();
        string because = words.Length > 0 ? $"; it said: {words.ReplaceLineEndings(" ")}" : "";
        return process.ExitCode switch
        {
            0 => null,
            _ when isStopped => $"was killed after it had been given {Alerting.LastWords.TotalSeconds:0} s at the end of the job{because}",
            TimedOut => $"took longer than {_limit.TotalSeconds:0.#} s and was killed{because}",
            var code => $"ended with exit code {code}{because}",
        };
    }

    private static void Give(Process process, byte[] json)
    {
        try
        {
            using Stream input = process.StandardInput.BaseStream;
            input.Write(json); // far less than a pipe takes: this does not wait for a reader
            input.WriteByte((byte)'\n');
        }
        catch (IOException)
        {
            // It does not read it.
        }
    }

    private static string LastWords(StreamReader from)
    {
        try
        {
            char[] buffer = new char[MostWords];
            string last = "";
            int length;
            while ((length = from.Read(buffer)) > 0)
            {
                last += new string(buffer, 0, length);
                last = last.Length > MostWords ? last[^MostWords..] : last;
            }

            return last;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return "";
        }
    }
}
