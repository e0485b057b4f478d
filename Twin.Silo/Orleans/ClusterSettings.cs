using System.Net;
using Npgsql;
using Twin.Silo.Storage;

namespace Twin.Silo.Orleans;

/// <summary>What a silo needs to know of its cluster, read from the settings.</summary>
/// <param name="Database">Connection string; a secret.</param>
/// <param name="Name">Name of the cluster; null: this machine alone.</param>
/// <param name="SiloPort">Where other silos reach this one.</param>
/// <param name="GatewayPort">Where clients reach it.</param>
/// <param name="Advertised">Address that the other silos use; null: the machine's first.</param>
internal sealed record ClusterSettings(string Database, string? Name, int SiloPort, int GatewayPort,
    IPAddress? Advertised)
{
    public const string DatabaseVariable = "METERTWIN_DATABASE";

    /// <param name="settings">The host's settings.</param>
    /// <param name="variable">Reads an environment variable.</param>
    /// <exception cref="SettingException">Something is missing or cannot be read.</exception>
    public static ClusterSettings Read(Settings settings, Func<string, string?> variable)
    {
        var address = settings.Advertise is { } text ? IPAddress.Parse(text) : null;
        return new ClusterSettings(ReadDatabase(settings, variable), settings.Cluster, settings.SiloPort,
            settings.GatewayPort, address);
    }

    private static string ReadDatabase(Settings settings, Func<string, string?> variable)
    {
        var (text, source) = settings.DatabaseFile is { } file ?
            (PrivateFile.Read("--database-file", file, "a password"), file)
            : (variable(DatabaseVariable), DatabaseVariable);
        if (string.IsNullOrWhiteSpace(text))
            throw new SettingException($"The orleans engine needs PostgreSQL: put its connection string into "
                + $"{DatabaseVariable} or into a file named by --database-file.");
        try
        {
            return new NpgsqlConnectionStringBuilder(text.Trim()).ConnectionString;
        }
        catch (ArgumentException)
        {
            // The message of the parser may quote the text, and with it the password.
            throw new SettingException($"{source} holds no connection string of PostgreSQL, such as "
                + "Host=db.example;Username=metertwin;Password=...;SSL Mode=VerifyFull.");
        }
    }
}
