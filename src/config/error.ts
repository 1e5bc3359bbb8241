// What is wrong with a configuration, in words that fit behind "parsing YAML file x: ".

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
