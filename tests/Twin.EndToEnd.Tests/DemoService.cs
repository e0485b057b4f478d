using System.Collections.Concurrent;
using System.Diagnostics;

namespace Twin.EndToEnd.Tests;

/// <summary>
/// The real program: a demo of few meters, recorded once for all tests. What it says is read line by line; a program
/// that says nothing more for too long is an error, never a wait without an end.
/// </summary>
public sealed class DemoService : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private readonly Process _process;
    private readonly BlockingCollection<string> _lines = new(10_000);
    private readonly ConcurrentQueue<string> _errors = [];

    private DemoService(string data, string[] args)
    {
        Data = data;
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
            WorkingDirectory = AppContext.BaseDirectory,
        };
        foreach (var a in (string[])["exec", Path.Combine(AppContext.BaseDirectory, "metertwin.dll"), .. args])
            start.ArgumentList.Add(a);
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, e) => _lines.TryAdd(e.Data ?? End);
        _process.ErrorDataReceived += (_, e) => _errors.Enqueue(e.Data ?? "");
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        Address = new Uri(Said("page").Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);
    }

    private const string End = "\0";

    /// <summary>Where the service answers.</summary>
    public Uri Address { get; }

    public string Data { get; }

    /// <summary>A demo of so many meters whose recorded days are over; a live day passes in eight minutes.</summary>
    public static DemoService Demo(string data, int meters)
    {
        var service = new DemoService(data, ["demo", "--data", data, "--meters", $"{meters}", "--port", "0",
            "--day-seconds",
            "480"]);
        service.Said("Live:");
        return service;
    }

    /// <summary>The service on a directory that there is.</summary>
    public static DemoService Serve(string data, int port = 0) =>
        new(data, ["serve", "--data", data, "--port", $"{port}"]);

    /// <summary>Waits for the line that begins so; what came before it is gone.</summary>
    public string Said(string beginning)
    {
        while (_lines.TryTake(out var line, Patience) && line != End)
            if (line.TrimStart().StartsWith(beginning, StringComparison.Ordinal)) return line.Trim();
        throw new InvalidOperationException(
            $"The program never says '{beginning}'. It says: {string.Join('\n', _errors)}");
    }

    /// <summary>SIGKILL.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited) Kill();
        _process.Dispose();
    }
}
