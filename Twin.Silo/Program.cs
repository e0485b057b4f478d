return await Twin.Silo.Commands.Cli.Run(args);
